"""How strong a picture's noise is, from the picture alone."""

from __future__ import annotations

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

_DARKEST, _BRIGHTEST = 0.03, 0.97
"""Beyond these the noise was cut off."""

Floats = NDArray[np.float32]


def estimate(film: Film) -> float:
    """Standard deviation of the noise, out of 255, as its mean square over colours.

    Immerkær's second differences (1996) see noise, but also texture; so they are
    asked only in those blocks where the picture, coarsened until little noise is
    left in it, changes least. Coarse and fine are independent where there is noise
    alone, hence choosing by the one does not choose among the other.
    """
    found = [_measured(_strip(film, top)) for top in _tops(film)]
    activity = np.concatenate([part[0] for part in found])
    energy = np.concatenate([part[1] for part in found])
    if not len(energy):
        return 0.0
    quiet = np.argsort(activity, kind="stable")[: max(1, int(len(energy) * _QUIET))]
    return float(np.sqrt(np.median(energy[quiet])) * 255.0)


def _tops(film: Film) -> range:
    """The rows at which strips begin: all of them, or evenly spread."""
    all_of_them = film.height // _BLOCK
    most = max(8, _LOOKS // (_BLOCK * film.width))
    return range(0, all_of_them * _BLOCK, _BLOCK * max(1, -(-all_of_them // most)))


def _strip(film: Film, top: int) -> Floats:
    """Colours × _BLOCK rows × columns, 0..1, as many as whole blocks take."""
    width = film.width // _BLOCK * _BLOCK
    pixels = film.read((0, film.width), (top, top + _BLOCK))
    colours = pixels[:, :width, : film.colours].transpose(2, 0, 1)
    return np.multiply(colours, np.float32(1.0 / film.top), dtype=np.float32)


def _measured(strip: Floats) -> tuple[Floats, Floats]:
    """Coarse activity and fine energy of each block whose light is not cut off."""
    blocks = strip.reshape(len(strip), _BLOCK, -1, _BLOCK).transpose(2, 0, 1, 3)
    light = blocks.mean((1, 2, 3))
    blocks = blocks[(light > _DARKEST) & (light < _BRIGHTEST)]
    return _coarse(blocks), _fine(blocks)


def _coarse(blocks: Floats) -> Floats:
    """Mean square of the differences between neighbours of 4 × 4 pixels' means."""
    side = _BLOCK // 4
    means = blocks.reshape(*blocks.shape[:2], side, 4, side, 4).mean((3, 5))
    down, across = np.diff(means, axis=2), np.diff(means, axis=3)
    changes: Floats = np.square(down).mean((1, 2, 3))
    changes += np.square(across).mean((1, 2, 3))
    return changes


def _fine(blocks: Floats) -> Floats:
    """Variance of the noise, were all of the second differences noise."""
    second = np.diff(np.diff(blocks, n=2, axis=2), n=2, axis=3)
    energy: Floats = np.square(second).mean((1, 2, 3)) / np.float32(36.0)
    return energy
