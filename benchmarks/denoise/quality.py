"""How near each method comes to the clean picture."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
from training.photos import Photo, noisy, psnr

from benchmarks.denoise import ours
from benchmarks.denoise.rivals import Floats, Rival

SIGMAS: Final = (15, 25, 50)
SHOWN_AT: Final = 25
SHOWN: Final = ("china", "chelsea", "astronaut")
"""Pictures that are laid side by side, and the σ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One method on one picture: decibels, similarity, and what it was set to."""

    photo: str
    sigma: int
    psnr: float
    ssim: float
    setting: float


Scores = dict[str, list[Score]]
"""By the method's name."""

Say = Callable[[str], None]

Run = Callable[[Floats, float, float], Any]
"""Noisy pixels, the true σ out of 1, and a setting; gives cleaned pixels."""


def compared(
    photos: Sequence[Photo],
    rivals: Sequence[Rival],
    contenders: Mapping[ours.Ours, Path | None],
    work: Path,
    say: Say,
) -> Scores:
    """Let every method clean every picture at every σ.

    `contenders` says where weights lie. What rivals came to is kept in `work`, because
    they and the pictures stay the same.
    """
    scores: Scores = {"noisy": list(_all(photos, lambda z, _, __: z, 0.0, None))}
    for rival in rivals:
        say(f"{rival.title}")
        scores[rival.name] = _best(_kept(rival, photos, work))
    for one, folder in contenders.items():
        say(one.title.replace("*", ""))
        scores |= _ours(one, photos, folder, work / "shown" / one.name)
    return scores


def mean(scores: Sequence[Score], sigma: int, kind: str = "psnr") -> float:
    """The mean over the pictures."""
    return statistics.fmean(getattr(s, kind) for s in scores if s.sigma == sigma)


def unharmed(
    one: ours.Ours, photos: Sequence[Photo], folder: Path | None
) -> list[Score]:
    """What the network does to pictures without noise, were it not kept from them."""
    clean = ours.cleaner(one, folder)
    return [_scored(photo, 0, _blind(clean, photo.pixels), 0.0) for photo in photos]


def _ours(
    one: ours.Ours, photos: Sequence[Photo], folder: Path | None, shown: Path
) -> Scores:
    """A network told the truth, left to estimate, and as the service runs it.

    A blind one is not told; that it may have weights for strong noise and for weak is
    nothing it needs the truth for.
    """
    clean = ours.cleaner(one, folder)
    ways: dict[str, Run] = {one.name: lambda noise, *_: _blind(clean, noise)}
    if clean.conditional:
        ways[f"{one.name}-estimated"] = ways[one.name]
        ways[one.name] = lambda noise, sigma, _: clean(noise, sigma)
    ways[f"{one.name}-served"] = lambda noise, *_: _served(clean, noise)
    return {
        name: list(_all(photos, run, 0.0, shown if name == one.name else None))
        for name, run in ways.items()
    }


def _served(clean: ours.Cleaner, noise: Floats) -> Floats:
    """Eight bits in, eight bits out: noise is cut off at black and white."""
    seen = _bytes(noise).astype(np.float32) / np.float32(255.0)
    made: Floats = _bytes(_blind(clean, seen)).astype(np.float32) / np.float32(255.0)
    return made


def _blind(clean: ours.Cleaner, pixels: Floats) -> Floats:
    return clean(pixels, ours.estimated(pixels) / 255.0)


def _kept(rival: Rival, photos: Sequence[Photo], work: Path) -> list[Score]:
    """All settings of a rival, from the shelf if they lie there."""
    crop = max(photos[0].pixels.shape)
    shelf = work / f"{rival.name}-{version(rival.package)}-{crop}.json"
    if shelf.exists():
        return [Score(**row) for row in json.loads(shelf.read_text("utf-8"))]
    shown = work / "shown" / rival.name
    rows = [
        score
        for setting in rival.settings
        for score in _all(photos, rival.run, setting, shown)
    ]
    work.mkdir(parents=True, exist_ok=True)
    told = [{name: getattr(row, name) for name in Score.__slots__} for row in rows]
    shelf.write_text(json.dumps(told), "utf-8")
    return rows


def _best(rows: Sequence[Score]) -> list[Score]:
    """Of each σ the rows of the setting that is best there."""
    found = []
    for sigma in SIGMAS:
        here = [row for row in rows if row.sigma == sigma]
        means = {
            setting: mean([row for row in here if row.setting == setting], sigma)
            for setting in {row.setting for row in here}
        }
        best = max(means, key=lambda setting: means[setting])
        found += [row for row in here if row.setting == best]
    return found


def _all(
    photos: Sequence[Photo],
    run: Run,
    setting: float,
    shown: Path | None,
) -> Iterator[Score]:
    for number, photo in enumerate(photos):
        for sigma in SIGMAS:
            answer = run(noisy(photo, sigma, number), sigma / 255.0, setting)
            cleaned = np.asarray(answer, np.float32)
            if shown and photo.name in SHOWN and sigma == SHOWN_AT:
                shown.mkdir(parents=True, exist_ok=True)
                np.save(shown / f"{photo.name}-{setting}.npy", _bytes(cleaned))
            yield _scored(photo, sigma, cleaned, setting)


def _scored(photo: Photo, sigma: int, cleaned: Floats, setting: float) -> Score:
    return Score(
        photo=photo.name,
        sigma=sigma,
        psnr=psnr(cleaned, photo.pixels),
        ssim=_similarity(np.clip(cleaned, 0.0, 1.0), photo.pixels),
        setting=setting,
    )


def _similarity(one: Floats, other: Floats) -> float:
    """SSIM as Wang et al. (2004) define it: a Gaussian window of σ = 1.5."""
    from skimage.metrics import structural_similarity

    similarity: Callable[..., float] = structural_similarity
    return float(
        similarity(
            one,
            other,
            channel_axis=-1,
            data_range=1.0,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )


def _bytes(pixels: Floats) -> Any:  # noqa: ANN401 - an array
    return np.rint(np.clip(pixels, 0.0, 1.0) * 255.0).astype(np.uint8)
