"""Noisy pictures, and renders that take the noise out of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tests.plans import output, plan

from pixtools.domain.plan import Denoise, OutputPlan
from pixtools.domain.report import OutputFacts, from_json, to_json
from pixtools.engine import Denoisers, EngineConfig, render
from pixtools.testing.compare import pixels_of
from pixtools.testing.images import photo_jpeg

Pixels = NDArray[Any]


def clean_photo(folder: Path, width: int, height: int) -> Pixels:
    """A photograph without noise: made small of a larger one."""
    with Image.open(photo_jpeg(folder / "large.jpg", 4 * width, 4 * height)) as image:
        image.draft("RGB", (width, height))
        return np.asarray(image.resize((width, height), Image.Resampling.BOX))


def spoiled(pixels: Pixels, sigma: float = 20.0, seed: int = 7) -> Pixels:
    """The picture with noise of `sigma` out of 255, in eight bits."""
    grain = np.random.default_rng(seed).normal(0.0, sigma, pixels.shape)
    spoiled: Pixels = (pixels + grain).clip(0, 255).round().astype(np.uint8)
    return spoiled


def saved(pixels: Pixels, path: Path) -> Path:
    """The picture as a file, without loss."""
    Image.fromarray(pixels).save(path, compress_level=1)
    return path


def opened(folder: Path, **config: Any) -> Denoisers:
    """The networks of a folder, on one thread."""
    return Denoisers(EngineConfig(models_dir=folder, denoise_threads=1, **config))


def wanted(format: str = "png", **options: Any) -> OutputPlan:
    """An output without noise; `denoise` has the options of `plan.Denoise`."""
    denoise = Denoise(**options.pop("denoise", {}))
    return replace(output(format, **options), action="denoise", denoise=denoise)


def made(
    source: Path,
    scratch: Path,
    denoisers: Denoisers,
    format: str = "png",
    **options: Any,
) -> tuple[OutputFacts, Path]:
    """Make one output without noise; gives its facts and its file."""
    asked = plan(wanted(format, **options))
    report = render(source, asked, scratch, denoisers=denoisers)
    assert report.failures == ()
    assert from_json(to_json(report)) == report
    (facts,) = report.outputs
    return facts, scratch / facts.file


def made_pixels(
    source: Path, scratch: Path, denoisers: Denoisers, **options: Any
) -> tuple[OutputFacts, Pixels]:
    """Likewise; gives its facts and its pixels."""
    facts, file = made(source, scratch, denoisers, **options)
    return facts, pixels_of(file)
