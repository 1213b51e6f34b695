"""Sizes of the picture that outputs are made from: upright, sRGB or grey."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyvips

from pixtools.domain.layout import Size
from pixtools.domain.report import SourceFacts
from pixtools.engine import cost
from pixtools.engine.decode import open_pixels
from pixtools.engine.faults import source_fault
from pixtools.engine.ops import geometry
from pixtools.engine.ops.colour import shallow, to_standard
from pixtools.engine.progress import Progress
from pixtools.engine.vips import TROUBLE, said


@dataclass(frozen=True, slots=True)
class Level:
    """The whole picture at one size, one image for each frame.

    What is not `in_memory` has one frame, to be read once from top to bottom.
    """

    pages: tuple[pyvips.Image, ...]
    size: Size
    in_memory: bool


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
    stored = (size[1], size[0]) if facts.orientation > 4 else size
    weight = cost.reading_time(facts, reading.frames)
    try:
        pages = _opened(reading, stored)
        if not in_memory and len(pages) == 1:
            progress.advance(weight)
            return Level((pages[0],), size, in_memory=False)
        kept = [_in_memory(page, progress, weight / len(pages)) for page in pages]
    except TROUBLE as error:
        raise source_fault(said(error), reading.source, facts.format) from error
    if facts.orientation > 1:
        kept = [geometry.upright(page, facts.orientation) for page in kept]
        kept = [page.copy_memory() for page in kept]
    return Level(tuple(kept), size, in_memory=True)


def smaller_level(
    reading: Reading, level: Level, size: Size, *, in_memory: bool
) -> Level:
    """The picture scaled down from a level that is in memory."""
    try:
        pages = [geometry.scale(page, size) for page in level.pages]
        if in_memory or len(pages) > 1:
            pages = [page.copy_memory() for page in pages]
    except TROUBLE as error:
        raise source_fault(said(error), reading.source, reading.facts.format) from error
    return Level(tuple(pages), size, in_memory=True)


def check_readable(reading: Reading) -> None:
    """Decode the source for nothing; raises the SourceError that this meets."""
    facts = reading.facts
    try:
        for page in _opened(reading, (facts.width, facts.height)):
            page.avg()
    except TROUBLE as error:
        raise source_fault(said(error), reading.source, facts.format) from error


def _opened(reading: Reading, stored: Size) -> list[pyvips.Image]:
    """The frames, lazily; they must be read in their order, each once."""
    image = open_pixels(
        reading.source, reading.facts, needed=stored, frames=reading.frames
    )
    height = image.height // reading.frames
    pages = [image]
    if reading.frames > 1:
        tops = range(0, height * reading.frames, height)
        pages = [image.crop(0, top, image.width, height) for top in tops]
    return [_standard(page, stored, deep=reading.deep) for page in pages]


def _in_memory(image: pyvips.Image, progress: Progress, weight: float) -> pyvips.Image:
    with progress.during(image, weight) as watched:
        return watched.copy_memory()


def _standard(page: pyvips.Image, stored: Size, *, deep: bool) -> pyvips.Image:
    """Scale first where the stored numbers allow it: fewer pixels to convert.

    Sixteen bits that nobody wants go before that: resampling them is slow.
    """
    if page.format == "ushort" and not deep:
        page = shallow(page)
    plain = page.format in ("uchar", "ushort")
    if plain and page.interpretation in ("srgb", "b-w", "rgb16", "grey16", "cmyk"):
        return to_standard(geometry.scale(page, stored), deep=deep)
    return geometry.scale(to_standard(page, deep=deep), stored)
