"""The size of an AVIF or HEIC, read from its boxes (ISO/IEC 14496-12 and 23008-12).

Done here because `imagesize` 2.0 refuses every photo with an `irot` property, which
is every portrait of most phones. All counts are bounded: none is the file's to make up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

MOST_BOXES: Final = 4096
MOST_ITEMS: Final = 8192
LONGEST_META: Final = 128 * 1024
"""Bytes; that of a 48-megapixel photo in 192 tiles has about ten thousand."""

_EXIF_OF_ROTATION: Final = {0: 1, 1: 8, 2: 3, 3: 6}
"""`irot` turns anti-clockwise by quarters."""
_HIGH_BIT_DEPTH: Final = 0x40
"""In the third byte of `av1C` (AV1 in ISOBMFF, 2.3)."""


class Reader(Protocol):
    """What is needed of a file."""

    def read(self, size: int, /) -> bytes: ...

    def seek(self, offset: int, /) -> int: ...


@dataclass(frozen=True, slots=True)
class Box:
    """Where a box's content stands."""

    kind: bytes
    start: int
    end: int


def measured(file: Reader) -> tuple[int, int, int]:
    """Stored width and height in pixels, and orientation, of the primary image.

    Raises ValueError if the boxes do not tell, and what reading raises.
    """
    data = _meta(file)
    mine = _properties(data)
    size = mine[b"ispe"]
    turned = mine.get(b"irot")
    return (
        _number(data, size.start + 4, 4),
        _number(data, size.start + 8, 4),
        _EXIF_OF_ROTATION[data[turned.start] & 3] if turned else 1,
    )


def is_deep(file: Reader) -> bool:
    """Whether the primary image of an AVIF has more than eight bits; raises likewise.

    Not where it is made of tiles: then they say it.
    """
    data = _meta(file)
    codec = _properties(data).get(b"av1C")
    return codec is not None and bool(data[codec.start + 2] & _HIGH_BIT_DEPTH)


def _properties(data: bytes) -> dict[bytes, Box]:
    """Those of the primary image, by kind."""
    boxes = {box.kind: box for box in _boxes(data, 4, len(data))}
    inner = boxes[b"iprp"]
    parts = {box.kind: box for box in _boxes(data, inner.start, inner.end)}
    shelf, ties = parts[b"ipco"], parts[b"ipma"]
    properties = list(_boxes(data, shelf.start, shelf.end))
    wanted = _associated(data, ties, _primary(data, boxes[b"pitm"]))
    return {properties[n - 1].kind: properties[n - 1] for n in wanted if n}


def _meta(file: Reader) -> bytes:
    """The content of the top-level `meta` box."""
    at = 0
    for _ in range(MOST_BOXES):
        file.seek(at)
        head = file.read(16)
        size, kind, header = int.from_bytes(head[:4], "big"), head[4:8], 8
        if size == 1:
            size, header = int.from_bytes(head[8:16], "big"), 16
        if kind == b"meta":
            file.seek(at + header)
            wanted = min(size - header, LONGEST_META) if size else LONGEST_META
            return file.read(wanted)
        if size < header:
            break
        at += size
    raise ValueError("There is no meta box.")


def _boxes(data: bytes, start: int, end: int) -> Iterator[Box]:
    at = start
    for _ in range(MOST_BOXES):
        if at + 8 > end:
            return
        size, header = _number(data, at, 4), 8
        if size == 1:
            size, header = _number(data, at + 8, 8), 16
        elif size == 0:
            size = end - at
        if size < header or at + size > end:
            raise ValueError("A box is larger than what holds it.")
        yield Box(data[at + 4 : at + 8], at + header, at + size)
        at += size
    raise ValueError("There are more boxes than in any real file.")


def _primary(data: bytes, box: Box) -> int:
    return _number(data, box.start + 4, 2 if data[box.start] == 0 else 4)


def _associated(data: bytes, box: Box, item: int) -> list[int]:
    """The numbers of an item's properties, counted from one."""
    version, wide = data[box.start], data[box.start + 3] & 1
    id_bytes, step = (2 if version == 0 else 4), (2 if wide else 1)
    mask = 0x7FFF if wide else 0x7F
    at = box.start + 8
    for _ in range(min(_number(data, box.start + 4, 4), MOST_ITEMS)):
        found, count = _number(data, at, id_bytes), _number(data, at + id_bytes, 1)
        at += id_bytes + 1
        if found == item:
            places = range(at, at + count * step, step)
            return [_number(data, place, step) & mask for place in places]
        at += count * step
    raise ValueError("The primary image has no properties.")


def _number(data: bytes, at: int, size: int) -> int:
    digits = data[at : at + size]
    if len(digits) < size:
        raise ValueError("The boxes end too early.")
    return int.from_bytes(digits, "big")
