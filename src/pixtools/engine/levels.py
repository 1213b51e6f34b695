"""Sizes of the picture that outputs are made from: upright, sRGB or grey."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyvips

from pixtools.domain.report import SourceFacts
from pixtools.engine import cost
from pixtools.engine.decode import open_pixels
from pixtools.engine.faults import source_fault
from pixtools.engine.ops import geometry
from pixtools.engine.ops.colour import to_standard
from pixtools.engine.ops.geometry import Size
from pixtools.engine.progress import Progress
from pixtools.engine.vips import TROUBLE, said


@dataclass(frozen=True, slots=True)
class Level:
    """The whole picture at one size; an animation's frames one below the other.

    What is not `in_memory` can be read once, from top to bottom.
    """

    image: pyvips.Image
    size: Size
    in_memory: bool

    @property
    def pages(self) -> list[pyvips.Image]:
        """The frames, each as an image of its own."""
        return split(self.image, self.size[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What to read of a source: how many frames, at how many bits a band."""

    source: Path
    facts: SourceFacts
    frames: int = 1
    deep: bool = False


def first_level(
    reading: Reading, size: Size, progress: Progress, *, in_memory: bool
) -> Level:
    """Decode the source to `size`, upright and in standard colours.

    Raises CorruptImage or TruncatedImage, at once or, where the level is not in
    memory, when its pixels are read.
    """
    facts = reading.facts
    turned = facts.orientation > 4
    stored = (size[1], size[0]) if turned else size
    weight = cost.reading_time(facts, reading.frames)
    try:
        image = _opened(reading, stored)
        if not in_memory:
            progress.advance(weight)
            return Level(image, size, in_memory=False)
        with progress.during(image, weight) as watched:
            image = watched.copy_memory()
    except TROUBLE as error:
        raise source_fault(said(error), reading.source, facts.format) from error
    if facts.orientation > 1:
        pages = split(image, stored[1])
        turned_pages = [geometry.upright(page, facts.orientation) for page in pages]
        image = join(turned_pages).copy_memory()
    return Level(image, size, in_memory=True)


def smaller_level(level: Level, size: Size, *, in_memory: bool) -> Level:
    """The picture scaled from a level that is in memory."""
    if level.size == size:
        return level
    image = join([geometry.scale(page, size) for page in level.pages])
    return Level(image.copy_memory() if in_memory else image, size, in_memory=True)


def check_readable(reading: Reading) -> None:
    """Decode the source for nothing; raises the SourceError that this meets."""
    facts = reading.facts
    try:
        _opened(reading, (facts.width, facts.height)).avg()
    except TROUBLE as error:
        raise source_fault(said(error), reading.source, facts.format) from error


def split(image: pyvips.Image, page_height: int) -> list[pyvips.Image]:
    """Cut stacked frames apart."""
    if image.height == page_height:
        return [image]
    return [
        image.crop(0, top, image.width, page_height)
        for top in range(0, image.height, page_height)
    ]


def join(pages: list[pyvips.Image]) -> pyvips.Image:
    """Stack frames, one below the other."""
    return pages[0] if len(pages) == 1 else pyvips.Image.arrayjoin(pages, across=1)


def _opened(reading: Reading, stored: Size) -> pyvips.Image:
    image = open_pixels(
        reading.source, reading.facts, needed=stored, frames=reading.frames
    )
    pages = split(image, image.height // reading.frames)
    return join([_standard(page, stored, deep=reading.deep) for page in pages])


def _standard(page: pyvips.Image, stored: Size, *, deep: bool) -> pyvips.Image:
    """Scale first where the stored numbers allow it: fewer pixels to convert."""
    plain = page.format in ("uchar", "ushort")
    if plain and page.interpretation in ("srgb", "b-w", "rgb16", "grey16", "cmyk"):
        return to_standard(geometry.scale(page, stored), deep=deep)
    return geometry.scale(to_standard(page, deep=deep), stored)
