"""How strong a picture's noise is, from the picture alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pixtools.engine.denoise.film import Film

_BLOCK: Final = 16
"""Pixels along a block's side."""

_LOOKS: Final = 2_000_000
"""Pixels that are looked at, at most, in rows all over the picture."""

_QUIET: Final = 0.15
"""Share of the blocks that is quiet enough to show the noise and little else."""

_LOW: Final = 0.25
"""Of those the quieter half, of which this quantile is the middle."""

_LOW_OF_NOISE: Final = 0.95
"""What that quantile is of the variance where there is white noise alone."""

_SOFTEST: Final = 1.3
"""Noise that was scaled down is so much stronger than its finest part, at most."""

_DARKEST: Final = 0.03
_FAR: Final = (2.0, 1.5)
"""Nearer to black or white than this, or than so many times the noise, it is cut off.

A little cut off is worse than none, and better than a few blocks of mere texture.
"""

_ENOUGH: Final = 100
"""Blocks, to go by those alone that are far from black and white."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Blocks:
    """One row for each block; `light`, `fine` and `all` have a column for each colour.

    `activity` is how much the picture changes when seen from so far that little noise
    is left. `fine` and `all` are the variances that noise would have if nothing else
    were in the block's finest parts, or in all but its gentlest slopes.
    """

    activity: Floats
    light: Floats
    fine: Floats
    all: Floats


def estimate(film: Film) -> float:
    """Standard deviation of the noise, out of 255, its mean square over colours.

    Where a picture is quiet, what is left is noise. Quiet are those blocks that change
    least when seen from afar, which says nothing about the noise in them: white noise
    is independent of its own coarse means. In them Immerkær's second differences
    (1996) tell the finest part of the noise, and what a slope and its bend don't
    explain all of it; the latter is believed only as far as scaling down could have
    made the noise softer, since the rest would be texture.

    A picture with a side below 16 pixels says nothing: 0.
    """
    blocks = _looked_at(film)
    sigma = 0.0
    for _ in range(3):  # the bounds of what is too dark or bright depend on the noise
        sigma = _strength(blocks, sigma) or sigma
    return sigma * 255.0


def _strength(blocks: _Blocks, sigma: float) -> float | None:
    """Standard deviation of the noise, by what was found before; None in the dark."""
    variances = []
    for light, fine, every in zip(
        blocks.light.T, blocks.fine.T, blocks.all.T, strict=True
    ):
        shows = _showing(light, sigma)
        if not len(shows):
            continue
        order = np.argsort(blocks.activity[shows], kind="stable")
        quiet = shows[order[: max(4, round(len(shows) * _QUIET))]]
        softest = _SOFTEST**2 * float(np.median(fine[quiet]))
        low = float(np.quantile(every[quiet], _LOW)) / _LOW_OF_NOISE
        variances.append(min(low, softest))
    return float(np.sqrt(np.mean(variances))) if variances else None


def _showing(light: Floats, sigma: float) -> NDArray[np.intp]:
    """Which blocks are neither too dark nor too bright to show all of the noise."""
    shown = [_within(light, max(_DARKEST, far * sigma)) for far in _FAR]
    return next((some for some in shown if len(some) >= _ENOUGH), shown[-1])


def _within(light: Floats, margin: float) -> NDArray[np.intp]:
    return np.nonzero((light > margin) & (light < 1.0 - margin))[0]


def _looked_at(film: Film) -> _Blocks:
    """Measure blocks in all rows, or in some that are evenly spread."""
    rows, width = film.height // _BLOCK, film.width // _BLOCK * _BLOCK
    if not rows or not width:
        nothing = np.zeros((0, film.colours), np.float32)
        return _Blocks(nothing[:, 0], nothing, nothing, nothing)
    most = max(8, _LOOKS // (_BLOCK * width))
    tops = range(0, rows * _BLOCK, _BLOCK * -(-rows // most))
    found = [_measured(_strip(film, top, width)) for top in tops]
    parts = zip(*found, strict=True)
    return _Blocks(*(np.concatenate(part) for part in parts))


def _strip(film: Film, top: int, width: int) -> Floats:
    """Blocks × colours × _BLOCK × _BLOCK, 0..1."""
    pixels = film.read((0, width), (top, top + _BLOCK))[..., : film.colours]
    cut = pixels.reshape(_BLOCK, -1, _BLOCK, film.colours).transpose(1, 3, 0, 2)
    return np.multiply(cut, np.float32(1.0 / film.top), dtype=np.float32)


def _measured(blocks: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Activity, light, fine and all: see `_Blocks`."""
    side = _BLOCK // 4
    coarse = blocks.reshape(*blocks.shape[:2], side, 4, side, 4).mean((3, 5))
    activity = np.square(np.diff(coarse, axis=2)).mean((1, 2, 3))
    activity += np.square(np.diff(coarse, axis=3)).mean((1, 2, 3))
    second = np.diff(np.diff(blocks, n=2, axis=2), n=2, axis=3)
    fine = np.square(second).mean((2, 3)) / np.float32(36.0)
    flat, slopes = blocks.reshape(*blocks.shape[:2], -1), _slopes()
    explained = np.square(flat @ slopes).sum(2)
    left = (np.square(flat).sum(2) - explained) / (_BLOCK**2 - slopes.shape[1])
    return activity, blocks.mean((2, 3)), fine, np.maximum(left, 0.0)


def _slopes() -> Floats:
    """An orthonormal base of the surfaces of second order over a block."""
    across, down = np.meshgrid(*[np.linspace(-1.0, 1.0, _BLOCK)] * 2)
    surfaces = [across**0, across, down, across * down, across**2, down**2]
    base, _ = np.linalg.qr(np.stack([s.ravel() for s in surfaces], axis=1))
    return base.astype(np.float32)
