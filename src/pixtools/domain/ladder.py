"""In which order sizes are made, and from which larger size each one comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pixtools.domain.layout import Size

_ROOM = 1.3
"""Twice resampling to nearly the same size blurs, so a parent is this much larger."""


@dataclass(frozen=True, slots=True)
class Rung:
    """A size, the index of the rung it is scaled from, and whether others need it.

    The first rung has no parent: it comes from the decoder.
    """

    size: Size
    parent: int | None
    children: int


def ladder(wanted: Sequence[Size]) -> list[Rung]:
    """Order the sizes largest first, each scaled from the closest fit above it.

    The first rung is as wide and as high as any, which may be a size that nobody
    wanted for itself.
    """
    top = max(width for width, _ in wanted), max(height for _, height in wanted)
    rest = sorted(set(wanted) - {top}, key=lambda size: -size[0] * size[1])
    sizes = [top, *rest]
    parents: list[int | None] = [None]
    parents += [_parent(sizes, index) for index in range(1, len(sizes))]
    return [
        Rung(size, parents[index], parents.count(index))
        for index, size in enumerate(sizes)
    ]


def _parent(sizes: Sequence[Size], index: int) -> int:
    """The smallest size with room, else the first."""
    width, height = sizes[index]
    roomy = [
        at
        for at in range(index)
        if sizes[at][0] >= width * _ROOM and sizes[at][1] >= height * _ROOM
    ]
    return max(roomy, default=0)
