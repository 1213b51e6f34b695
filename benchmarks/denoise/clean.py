"""What the engine takes pictures for, and what it does to those without noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from training.photos import Photo, held_out, noisy

from benchmarks.denoise.ours import Ours, estimated
from pixtools.domain.plan import Denoise, Encode, OutputPlan, RenderPlan
from pixtools.engine import Denoisers, EngineConfig, open_engine, render

SIGMAS: Final = (0, 5, 15, 25, 50)
_WHOLE: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """A whole photo, and σ as the engine estimates it, by the σ that was added."""

    photo: str
    width: int
    height: int
    found: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A whole photo without added noise, sent through the engine.

    `changed` is the share of values that came out different, `psnr` is to the input.
    """

    photo: str
    model: str
    noise_sigma: float
    skipped: bool
    psnr: float
    changed: float


def estimates() -> list[Estimates]:
    """Add noise, round to eight bits, and estimate."""
    return [
        Estimates(
            photo=photo.name,
            width=photo.pixels.shape[1],
            height=photo.pixels.shape[0],
            found={
                str(sigma): estimated(_seen(noisy(photo, sigma, number)))
                for sigma in SIGMAS
            },
        )
        for number, photo in enumerate(held_out(_WHOLE))
    ]


def kept(contenders: Sequence[Ours], folder: Path | None, work: Path) -> list[Kept]:
    """Send every photo, as it is, through the engine, as PNG to PNG."""
    open_engine(EngineConfig())
    work.mkdir(parents=True, exist_ok=True)
    return [
        _kept(photo, one, folder, work)
        for one in contenders
        for photo in held_out(_WHOLE)
    ]


def _kept(photo: Photo, one: Ours, folder: Path | None, work: Path) -> Kept:
    before = _bytes(photo.pixels)
    path = work / f"{photo.name}.png"
    Image.fromarray(before).save(path)
    output = OutputPlan(
        id=f"{photo.name}-clean",
        action="denoise",
        encode=Encode(format="png"),
        denoise=Denoise(model=one.model),
    )
    denoisers = Denoisers(EngineConfig(models_dir=folder, precision=one.precision))
    plan = RenderPlan(outputs=(output,))
    (made,) = render(path, plan, work, denoisers=denoisers).outputs
    with Image.open(work / made.file) as image:
        after = np.asarray(image.convert("RGB"))
    return Kept(
        photo=photo.name,
        model=one.name,
        noise_sigma=made.noise_sigma or 0.0,
        skipped=made.skipped is not None,
        psnr=_decibels(before, after),
        changed=float(np.mean(before != after)),
    )


def _seen(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """The pixels as a file of eight bits holds them."""
    return _bytes(pixels).astype(np.float32) / np.float32(255.0)


def _bytes(pixels: NDArray[np.float32]) -> NDArray[np.uint8]:
    levels = np.rint(np.clip(pixels, 0.0, 1.0) * 255.0)
    found: NDArray[np.uint8] = levels.astype(np.uint8)
    return found


def _decibels(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    error = float(np.mean(np.square(one.astype(np.float64) - other)))
    return float(10.0 * np.log10(255.0**2 / max(error, 1e-6)))
