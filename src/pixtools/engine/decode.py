"""From a file to lazy pixels, no larger than the plan needs."""

from __future__ import annotations

from pathlib import Path

import pyvips

from pixtools.domain.layout import Size
from pixtools.domain.report import SourceFacts
from pixtools.engine.header import open_header

_REST = 1.5
"""Shrinking that is left to the resampler after the JPEG decoder's, so that its
quality is what shows: less than a point of SSIMULACRA2 is lost. (libvips' own
`thumbnail` leaves a factor of two, and often decodes four times the pixels for it.)
"""


def open_pixels(
    source: Path, facts: SourceFacts, *, needed: Size, frames: int
) -> pyvips.Image:
    """Open a source for one pass from top to bottom.

    Gives at least `needed` pixels of each frame as stored, frames one below the
    other. JPEG and WebP decoders shrink while they read. Raises a SourceError.
    """
    if facts.format == "heic":
        from pixtools.engine.heic import decode_heic

        return decode_heic(source, open_header(source, "heic"))
    options: dict[str, object] = {}
    if facts.format == "jpg":
        options["shrink"] = jpeg_shrink((facts.width, facts.height), needed)
    if facts.format == "webp":
        # libwebp's scaler is a poor one: the rest is the resampler's.
        options["scale"] = min(1.0, 2 * needed[0] / facts.width)
    if frames > 1:
        options["n"] = frames
    return open_header(source, facts.format, **options)


def jpeg_shrink(size: Size, needed: Size) -> int:
    """How much smaller a JPEG may be decoded: 1, 2, 4 or 8.

    Only where both sides divide by it: libvips cuts off what is left over, and the
    picture would come out moved by up to a quarter of a pixel.
    """
    room = min(size[0] / needed[0], size[1] / needed[1]) / _REST
    fits = (s for s in (8, 4, 2) if room >= s and not (size[0] % s or size[1] % s))
    return next(fits, 1)
