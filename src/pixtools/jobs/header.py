"""What a file's first bytes say: its kind and size. Nothing is decoded.

The libraries `filetype` and `imagesize` do the reading. Both may raise anything on
hostile bytes, and loop over counts that the file names, so they see the file through
a `Peephole` that bounds how often and how much they read.
"""

from __future__ import annotations

import io
import os
import re
import struct
from dataclasses import dataclass, field, replace
from typing import BinaryIO, Final, Literal, overload

import filetype
import imagesize

from pixtools.domain.catalogue import Capabilities
from pixtools.domain.errors import (
    CorruptImage,
    EmptyFile,
    ImageTooLarge,
    TruncatedImage,
    UnsupportedFormat,
)
from pixtools.domain.formats import FORMATS
from pixtools.domain.limits import Limits
from pixtools.domain.report import SourceFacts
from pixtools.jobs.boxes import LONGEST_META, measured
from pixtools.jobs.traits import Traits, traits

SIGNATURE_BYTES: Final = 64
"""Enough to tell every accepted format from everything else."""

LONGEST_SEGMENT: Final = 512
"""How much of a JPEG segment is read: orientation stands in the front of its EXIF."""

_BRANDS: Final = {
    b"avif": "avif",
    b"avis": "avif",
    b"heic": "heic",
    b"heix": "heic",
    b"heim": "heic",
    b"heis": "heic",
    b"hevc": "heic",
    b"hevx": "heic",
}
_GIF_SIZE_ENDS: Final = 10
_BOXED: Final = frozenset(_BRANDS.values())
_CONTAINERS: Final = frozenset({b"mif1", b"msf1", b"miaf"})
_KINDS: Final = {"jpg": "jpg", "png": "png", "apng": "png", "gif": "gif"} | {
    "webp": "webp",
    "tif": "tiff",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Kind and size of an image; `width` × `height` are upright, in pixels.

    `orientation` is the EXIF value 1..8 where it stands in the first bytes. `traits`
    are what was found beside.
    """

    format: str
    content_type: str
    width: int
    height: int
    orientation: int = 1
    traits: Traits = field(default_factory=Traits)

    @property
    def facts(self) -> SourceFacts:
        """The same of the photo as it is seen upright."""
        return SourceFacts(
            format=self.format,
            width=self.width,
            height=self.height,
            has_alpha=self.traits.has_alpha,
            bits=self.traits.bits,
            interlaced=self.traits.interlaced,
        )


@overload
def read_header(
    file: BinaryIO | bytes,
    limits: Limits,
    have: Capabilities,
    *,
    complete: Literal[True],
) -> Header: ...
@overload
def read_header(
    file: BinaryIO | bytes, limits: Limits, have: Capabilities, *, complete: bool
) -> Header | None: ...
def read_header(
    file: BinaryIO | bytes, limits: Limits, have: Capabilities, *, complete: bool
) -> Header | None:
    """Tell what a file is by its content; None if more bytes are needed.

    Never None where `complete`. Raises EmptyFile, UnsupportedFormat, ImageTooLarge,
    CorruptImage and TruncatedImage.
    """
    stream = io.BytesIO(file) if isinstance(file, bytes) else file
    stream.seek(0)
    head = stream.read(1024)
    if not head and complete:
        raise EmptyFile
    if len(head) < SIGNATURE_BYTES and not complete:
        return None
    name = _kind(head)
    _check_readable(name, head, have)
    in_boxes = name in _BOXED
    found = (
        _size_of_gif(head)
        if name == "gif"
        else _size(stream, complete, in_boxes=in_boxes)
    )
    if found is None:
        return None
    header = _header(name or "", head, found)
    _check_size(header, limits)
    peephole = Peephole(stream, complete=complete, longest=_longest(in_boxes))
    return replace(header, traits=traits(header.format, head, peephole))


class Peephole:
    """A file seen through a budget of reads; short reads are remembered.

    While a file is still arriving its end is unknown, so `seek` to the end answers a
    place further off than any file reaches.
    """

    READS: Final = 1500
    BYTES: Final = 256 * 1024
    FAR: Final = 1 << 50

    def __init__(self, file: BinaryIO, *, complete: bool, longest: int) -> None:
        self._file = file
        self._complete = complete
        self._longest = longest
        self._reads = 0
        self._bytes = 0
        self.ended = False

    def read(self, size: int = -1) -> bytes:
        """At most `longest` bytes; raises ValueError when the budget is spent."""
        wanted = min(size if size >= 0 else self._longest, self._longest)
        data = self._file.read(wanted)
        self._reads += 1
        self._bytes += len(data)
        if self._reads > self.READS or self._bytes > self.BYTES:
            raise ValueError("The header is longer than any real one.")
        self.ended = self.ended or len(data) < wanted
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As a file's; places no file reaches are refused."""
        if whence == os.SEEK_END and not self._complete:
            return self.FAR
        if offset > self.FAR:
            raise ValueError("The header points outside of any file.")
        return self._file.seek(offset, whence)


def _kind(head: bytes) -> str | None:
    if head[4:8] == b"ftyp":
        return _brand(head)
    try:
        guess = filetype.image_match(head)
    except Exception:  # noqa: BLE001 - hostile bytes may raise anything
        return None
    return _KINDS.get(guess.extension) if guess else None


def _brand(head: bytes) -> str | None:
    major = head[8:12]
    if major not in _CONTAINERS:
        return _BRANDS.get(major)
    end = min(int.from_bytes(head[:4], "big"), 256)
    compatible = (head[at : at + 4] for at in range(16, end, 4))
    return next((_BRANDS[brand] for brand in compatible if brand in _BRANDS), None)


def _check_readable(name: str | None, head: bytes, have: Capabilities) -> None:
    if name in have.readable:
        return
    if name == "heic":
        raise UnsupportedFormat(
            "This is a HEIC photo, and this service reads HEIC only with the extra "
            "pixtools[heic] installed: send JPEG, or ask for the extra."
        )
    names = ", ".join(FORMATS[f].title for f in FORMATS if f in have.readable)
    raise UnsupportedFormat(
        f"Expected an image ({names}) but received {_described(name, head)}."
    )


def _described(name: str | None, head: bytes) -> str:
    if name:
        return FORMATS[name].title
    if re.search(rb"<svg[\s>]", head, re.IGNORECASE):
        return "SVG"
    try:
        guess = filetype.guess_mime(head)
    except Exception:  # noqa: BLE001 - hostile bytes may raise anything
        guess = None
    if guess:
        return str(guess)
    return "text" if _is_text(head) else "a file of unknown kind"


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        text = head[: error.start].decode() if error.start > len(head) - 4 else "\0"
    return all(letter.isprintable() or letter.isspace() for letter in text)


def _size(
    file: BinaryIO, complete: bool, *, in_boxes: bool
) -> tuple[int, int, int] | None:
    """Stored width, height and orientation; None if the bytes do not suffice yet."""
    peephole = Peephole(file, complete=complete, longest=_longest(in_boxes))
    try:
        width, height, turned = _measured(peephole, in_boxes)
    except Exception:  # noqa: BLE001 - hostile bytes may raise anything
        width = height = turned = 0
    if width and height and (width, height) != (-1, -1):
        return width, height, turned
    if peephole.ended and not complete:
        return None
    raise TruncatedImage if peephole.ended else CorruptImage


def _longest(in_boxes: bool) -> int:
    return LONGEST_META if in_boxes else LONGEST_SEGMENT


def _size_of_gif(head: bytes) -> tuple[int, int, int]:
    """The canvas; imagesize reads it signed, and takes 65,535 x 65,535 for unknown."""
    if len(head) < _GIF_SIZE_ENDS:
        raise TruncatedImage
    width, height = struct.unpack_from("<HH", head, _GIF_SIZE_ENDS - 4)
    return width, height, 1


def _measured(peephole: Peephole, in_boxes: bool) -> tuple[int, int, int]:
    if in_boxes:
        return measured(peephole)
    info = imagesize.get_info(
        peephole, exif_rotation=False, dpi=False, colors=False, channels=False
    )
    return int(info.width), int(info.height), int(info.rotation)


def _header(name: str, head: bytes, found: tuple[int, int, int]) -> Header:
    width, height, turned = found
    if head[12:16] == b"VP8 ":  # the upper two bits only suggest a display size
        width, height = width & 0x3FFF, height & 0x3FFF
    if width <= 0 or height <= 0:
        raise CorruptImage
    orientation = turned if 1 <= turned <= 8 else 1
    if orientation >= 5:
        width, height = height, width
    return Header(
        format=name,
        content_type=FORMATS[name].content_type,
        width=width,
        height=height,
        orientation=orientation,
    )


def _check_size(header: Header, limits: Limits) -> None:
    longest, pixels = max(header.width, header.height), header.width * header.height
    if longest > limits.max_side or pixels > limits.max_pixels:
        raise ImageTooLarge(
            f"Expected at most {limits.max_pixels:,} pixels and sides of at most "
            f"{limits.max_side:,} but received {header.width:,} × {header.height:,}."
        )
