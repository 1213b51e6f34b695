"""Watermarks: a text or an image laid on a picture."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from pathlib import Path
from typing import Final

import pyvips

from pixtools.domain.plan import Mark
from pixtools.engine.ops.stamp import stamp_for

_PLACES: Final = {
    "northwest": (0.0, 0.0), "north": (0.5, 0.0), "northeast": (1.0, 0.0),
    "west": (0.0, 0.5), "centre": (0.5, 0.5), "east": (1.0, 0.5),
    "southwest": (0.0, 1.0), "south": (0.5, 1.0), "southeast": (1.0, 1.0),
}  # fmt: skip
"""The share of the free room that is left of a mark, and above it."""


def overlay(
    image: pyvips.Image, mark: Mark, assets: Mapping[str, Path]
) -> pyvips.Image:
    """Lay a mark on a picture: sRGB or grey, 8 or 16 bits, with or without alpha.

    The result has the picture's bands, format and header. Only the region under the
    mark is computed anew, line by line in step with the rest, so the picture may come
    from a sequential source. `assets` maps the names of watermark images to files.
    Raises WatermarkUnusable.
    """
    if not mark.opacity or (mark.text is not None and not mark.colour[3]):
        return image
    stamp = stamp_for(mark, image.width, image.height, assets)
    if mark.tile:
        return _laid(image, _tiled(stamp, image))
    left, top = _place(mark, stamp, image)
    ground = image.crop(left, top, stamp.width, stamp.height)
    return image.insert(_laid(ground, stamp), left, top)


def _place(mark: Mark, stamp: pyvips.Image, image: pyvips.Image) -> tuple[int, int]:
    """The corner where the stamp goes: at its margin, but always inside."""
    margin = round(mark.margin * min(image.width, image.height))
    across, down = _PLACES[mark.gravity]

    return (
        _offset(across, margin, image.width - stamp.width),
        _offset(down, margin, image.height - stamp.height),
    )


def _offset(share: float, margin: int, room: int) -> int:
    return min(max(round(margin + share * (room - 2 * margin)), 0), room)


def _tiled(stamp: pyvips.Image, image: pyvips.Image) -> pyvips.Image:
    """The stamp in a grid over the whole picture, one of them at its centre.

    Gaps are as wide as the stamp's shorter side.
    """
    gap = min(stamp.width, stamp.height)
    width, height = stamp.width + gap, stamp.height + gap
    cell = stamp.gravity("centre", width, height).copy_memory()
    across = ceil(image.width / width) | 1
    down = ceil(image.height / height) | 1
    grid = cell.replicate(across, down)
    left = (grid.width - image.width) // 2
    top = (grid.height - image.height) // 2
    return grid.crop(left, top, image.width, image.height)


def _laid(ground: pyvips.Image, stamp: pyvips.Image) -> pyvips.Image:
    """The stamp over pixels of the same size, in their own colours and depth."""
    alpha = stamp[3]
    ink = _in_space_of(ground, stamp[0:3])
    if ground.hasalpha():
        depth = 257 if ground.format == "ushort" else 1
        dense = (alpha * depth).cast(ground.format)
        layer = ink.bandjoin(dense).copy(interpretation=ground.interpretation)
        return ground.composite2(layer, "over", compositing_space=ground.interpretation)
    # Four times as fast as composite2, which works in floating point.
    return alpha.ifthenelse(ink, ground, blend=True)


def _in_space_of(ground: pyvips.Image, ink: pyvips.Image) -> pyvips.Image:
    """Eight-bit sRGB colours as this picture writes them."""
    if ground.bands < 3:
        ink = ink.colourspace("b-w")
    if ground.format == "ushort":
        ink = (ink * 257).cast("ushort")
    return ink.copy(interpretation=ground.interpretation)
