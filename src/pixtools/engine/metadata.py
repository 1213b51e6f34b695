"""All that is told about a source, in the words of contract §3.2."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import pyvips

from pixtools.domain.errors import SourceError
from pixtools.domain.report import SourceFacts
from pixtools.engine.exif import Exif, exif_in_blob, exif_in_file
from pixtools.engine.header import open_header
from pixtools.engine.shot import shot_facts
from pixtools.engine.vips import TROUBLE

_LARGEST_BLOB: Final = 4 * 2**20
_RAW_PROFILE: Final = re.compile(r"png-comment-\d+-Raw profile type (exif|APP1)")


def read_metadata(
    source: Path, facts: SourceFacts, image: pyvips.Image | None = None
) -> dict[str, Any]:
    """Tell what the header and the EXIF of a source say, as JSON-ready values.

    `image` is the opened header, if the caller has one. `width` and `height` are those
    that a viewer sees, orientation applied; `orientation` is the tag as stored.
    `focal_length` is in millimetres ("50mm"), texts have at most 200 characters. Facts
    that the file lacks are absent, broken EXIF yields those that could be read, and a
    wrong EXIF is never an error.
    """
    width, height = facts.upright_size
    header = {
        "width": width,
        "height": height,
        "format": facts.format,
        "has_alpha": facts.has_alpha,
        "color_space": facts.color_space,
        "bits": facts.bits,
    }
    if facts.icc_profile is not None:
        header["icc_profile"] = facts.icc_profile
    return shot_facts(_exif(source, facts, image)) | header


def _exif(source: Path, facts: SourceFacts, image: pyvips.Image | None) -> Exif:
    if facts.format == "tiff":
        return exif_in_file(source)
    try:
        return exif_in_blob(_blob(image or open_header(source, facts.format)))
    except (SourceError, *TROUBLE):
        return Exif()


def _blob(image: pyvips.Image) -> bytes:
    """The EXIF that libvips found; in PNG it may be hexadecimal text."""
    if image.get_typeof("exif-data"):
        return bytes(image.get("exif-data")[:_LARGEST_BLOB])
    for name in image.get_fields():
        if _RAW_PROFILE.fullmatch(name):
            return _raw_profile(str(image.get(name)[: 2 * _LARGEST_BLOB]))
    return b""


def _raw_profile(text: str) -> bytes:
    """Decode ImageMagick's form: a name, a length, and lines of hexadecimal digits."""
    digits = "".join(text.split()[2:])
    try:
        return bytes.fromhex(digits)
    except ValueError:
        return b""
