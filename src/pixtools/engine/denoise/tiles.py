"""A picture in tiles: a network sees each with a margin, and keeps what is sure.

A result that depends on `halo` pixels around it is right in a tile's middle, and at
the picture's own borders, where the tile ends as the whole picture would. So the tiles
together are what the network makes of the whole picture at once.
"""

from __future__ import annotations

from collections.abc import Iterator
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


def tiles(size: Size, *, side: int, halo: int, multiple: int) -> Iterator[Tile]:
    """Tiles of about `side` pixels, from top to bottom, that cover the picture."""
    for down in spans(size[1], side=side, halo=halo, multiple=multiple):
        for across in spans(size[0], side=side, halo=halo, multiple=multiple):
            yield Tile(across, down)


def spans(length: int, *, side: int, halo: int, multiple: int) -> list[Span]:
    """Cut a length into equal parts of at most `side`, at multiples of `multiple`.

    `side` and what is read begin at such places as well; an end may be the picture's.
    """
    count = -(-length // side)
    step = _up(-(-length // count), multiple)
    margin = _up(halo, multiple)
    return [
        Span(
            read=(max(0, start - margin), min(length, start + step + margin)),
            kept=(start, min(length, start + step)),
        )
        for start in range(0, length, step)
    ]


def count_tiles(size: Size, *, side: int, halo: int, multiple: int) -> int:
    """How many tiles a picture of `size` has."""
    across, down = (
        len(spans(length, side=side, halo=halo, multiple=multiple)) for length in size
    )
    return across * down


def _up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple
