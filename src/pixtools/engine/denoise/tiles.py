"""A picture in tiles: a network sees each with a margin, and keeps what is sure.

A result that depends on `halo` pixels around it is right in a tile's middle, and at
the picture's own borders, where the tile ends as the whole picture would. So the tiles
together are what the network makes of the whole picture at once.
"""

from __future__ import annotations

from dataclasses import dataclass

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
    """Cut a length into parts of nearly the same size."""
    step = _up(-(-length // -(-length // side)), multiple)
    margin = _up(halo, multiple)
    return [
        Span(
            read=(max(0, start - margin), min(length, start + step + margin)),
            kept=(start, min(length, start + step)),
        )
        for start in range(0, length, step)
    ]


def _up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple
