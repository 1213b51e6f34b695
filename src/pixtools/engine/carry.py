"""Which of the source's metadata an output carries.

JPEG, PNG, WebP and AVIF outputs have a place for EXIF; TIFF for XMP and IPTC only, GIF
for XMP. A TIFF source's own tags are not EXIF: its copyright and artist are.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pyvips

from pixtools.domain.plan import KeepMetadata
from pixtools.domain.report import SourceFacts
from pixtools.engine.exif import exif_in_blob, exif_in_file

NOTHING, EXIF, XMP, IPTC = 0, 1, 2, 4
"""libvips' flags of what a saver keeps."""

_ARTIST, _COPYRIGHT = 0x013B, 0x8298
_TIMING = ("page-height", "n-pages", "delay", "loop", "gif-delay", "gif-loop")
_XMP_TURN = re.compile(rb"""(tiff:Orientation(?:=["']|>))[2-8]""")


def carried(
    image: pyvips.Image, keep: KeepMetadata, source: Path, facts: SourceFacts
) -> tuple[pyvips.Image, int]:
    """The image with the metadata that stays, and libvips' flags for it.

    A colour profile never stays: the pixels are sRGB by then. Neither does a
    thumbnail, which would show the source.
    """
    if keep == "none":
        return image, NOTHING
    original, image = image, image.copy()
    if keep == "all":
        _drop(image, "jpeg-thumbnail-data", "exif-ifd1-", "heif-thumbnail")
        _set_upright(image)
        if facts.format != "tiff":
            return image, EXIF | XMP | IPTC
    else:
        _drop(image, "exif-", "xmp-", "iptc-", "jpeg-thumbnail", "orientation")
    if facts.format == "tiff":
        fields = exif_in_file(source).main
    elif original.get_typeof("exif-data"):
        fields = exif_in_blob(original.get("exif-data")).main
    else:
        fields = {}
    words = {tag: fields[tag] for tag in (_ARTIST, _COPYRIGHT) if tag in fields}
    texts = {tag: text for tag, text in words.items() if isinstance(text, bytes)}
    if texts:
        _set_exif(image, texts)
    return image, EXIF | XMP | IPTC if keep == "all" else EXIF if texts else NOTHING


def as_still(image: pyvips.Image) -> pyvips.Image:
    """The image without what a header says about frames."""
    image = image.copy()
    _drop(image, *_TIMING)
    return image


def as_animation(
    image: pyvips.Image, header: pyvips.Image, page_height: int
) -> pyvips.Image:
    """The stacked frames with the source's timing."""
    image = image.copy()
    image.set_type(pyvips.GValue.gint_type, "page-height", page_height)
    image.set_type(pyvips.GValue.gint_type, "n-pages", image.height // page_height)
    for name in ("delay", "loop"):
        if header.get_typeof(name):
            image.set_type(header.get_typeof(name), name, header.get(name))
    return image


def _set_upright(image: pyvips.Image) -> None:
    image.set_type(pyvips.GValue.gint_type, "orientation", 1)
    if image.get_typeof("xmp-data"):
        packet = _XMP_TURN.sub(rb"\g<1>1", image.get("xmp-data"))
        image.set_type(pyvips.GValue.blob_type, "xmp-data", packet)


def _set_exif(image: pyvips.Image, texts: dict[int, bytes]) -> None:
    """Give the image an EXIF of these texts alone, byte for byte.

    A saver drops what has no field beside the blob, and rewrites what differs from
    its field; only libvips' own reader makes fields that agree.
    """
    blob = b"Exif\0\0" + _tiff_structure(texts)
    pixel = pyvips.Image.black(1, 1).jpegsave_buffer(keep=NOTHING)
    mark = b"\xff\xe1" + struct.pack(">H", len(blob) + 2)
    tagged = pyvips.Image.jpegload_buffer(pixel[:2] + mark + blob + pixel[2:])
    for name in ("exif-data", "exif-ifd0-Artist", "exif-ifd0-Copyright"):
        if tagged.get_typeof(name):
            image.set_type(tagged.get_typeof(name), name, tagged.get(name))


def _tiff_structure(texts: dict[int, bytes]) -> bytes:
    """One directory of ASCII fields (TIFF 6.0 section 2)."""
    start = 8 + 2 + 12 * len(texts) + 4
    entries, tail = b"", b""
    for tag, text in sorted(texts.items()):
        # Texts of four bytes or less would have to stand in the entry itself.
        ended = (text.rstrip(b"\0") + b"\0").ljust(5, b"\0")
        entries += struct.pack("<HHII", tag, 2, len(ended), start + len(tail))
        tail += ended + b"\0" * (len(ended) % 2)
    head = struct.pack("<2sHIH", b"II", 42, 8, len(texts))
    return head + entries + b"\0\0\0\0" + tail


def _drop(image: pyvips.Image, *beginnings: str) -> None:
    for name in image.get_fields():
        if name.startswith(beginnings):
            image.remove(name)
