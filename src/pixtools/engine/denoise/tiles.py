"""A picture in tiles: a network sees each with a margin, and keeps what is sure.

A result that depends on `halo` pixels around it is right in a tile's middle, and at
the picture's own borders, where the tile ends as the whole picture would. So the tiles
together are what the network makes of the whole picture at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from pixtools.domain.layout import Size


@dataclass(frozen=True, slots=True)
class Span:
    """Along one side: what is `read`, and the part of it that is `kept`.

    Both are (start, end) in the picture's pixels.
    """

    read: tuple[int, int]
    kept: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Tile:
    """A rectangle to read, and the one inside of it to keep."""

    across: Span
    down: Span


def tiles(size: Size, *, side: int, halo: int, multiple: int) -> list[Tile]:
    """Tiles of at most about `side` pixels, from top to bottom, that cover the picture.

    What is read and kept begins at multiples of `multiple`.
    """
    rows, columns = (
        _spans(length, side=side, halo=halo, multiple=multiple)
        for length in (size[1], size[0])
    )
    return [Tile(across, down) for down in rows for across in columns]


def _spans(length: int, *, side: int, halo: int, multiple: int) -> list[Span]:
    """Parts of nearly the same size, each read within a window of one size.

    So a network meets one shape only, and takes the same memory again and again. A
    window at a border has no margin there, and keeps more.
    """
    margin, whole = _up(halo, multiple), _up(length, multiple)
    middle = max(1, whole - 2 * margin)
    step = _up(-(-middle // -(-middle // side)), multiple)
    count = -(-middle // step)
    window = min(whole, step + 2 * margin)
    starts = [min(number * step, whole - window) for number in range(count)]
    edges = [0, *(start + margin for start in starts[1:]), length]
    return [
        Span(read=(start, min(length, start + window)), kept=kept)
        for start, kept in zip(starts, pairwise(edges), strict=True)
    ]


def _up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple
