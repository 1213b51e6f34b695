"""The TIFF structure of an EXIF blob or TIFF file: a few fields of three directories.

Structure after TIFF 6.0 section 2, tags after CIPA DC-008 (Exif 2.32). Cameras,
editors and attackers write it wrong in every way, so this reads what is asked for and
no more: at most three directories, no chains, no recursion, no loops, bounded counts.
A field that can't be read is absent; nothing here raises.

It stands on no library because those follow whatever a file says: 64 KiB of EXIF keep
exifread 3.5 busy for six seconds.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

Number = int | float
Value = bytes | tuple[Number | None, ...]
"""Text as its raw bytes, or numbers; None where a fraction has no value."""

Read = Callable[[int, int], bytes]
"""Bytes at an offset, at most so many."""

Directory = Mapping[int, Value]

EXIF_POINTER: Final = 0x8769
GPS_POINTER: Final = 0x8825
_MAX_ENTRIES: Final = 1024
_MAX_NUMBERS: Final = 4
_MAX_TEXT: Final = 1024
_MARK: Final = b"Exif\0\0"
_ORDERS: Final = {b"II*\0": "<", b"MM\0*": ">"}
_TEXT_KINDS: Final = (2, 7, 129)
"""ASCII, UNDEFINED, and Exif 3.0's UTF-8."""
_NUMBER_KINDS: Final = {
    1: "B", 3: "H", 4: "I", 5: "II", 6: "b", 8: "h", 9: "i", 10: "ii",
    11: "f", 12: "d", 13: "I",
}  # fmt: skip
_FRACTIONS: Final = (5, 10)


@dataclass(frozen=True, slots=True)
class Exif:
    """The fields of the main directory, and of those for the shot and its place."""

    main: Directory = field(default_factory=dict)
    shot: Directory = field(default_factory=dict)
    gps: Directory = field(default_factory=dict)


def exif_in_blob(blob: bytes) -> Exif:
    """Read a blob, with or without the "Exif" mark that JPEG puts before it."""
    start = len(_MARK) if blob.startswith(_MARK) else 0
    return _exif(lambda at, size: blob[start + at : start + at + size])


def exif_in_file(path: Path) -> Exif:
    """Read a TIFF file's own directories; classic TIFF only, not BigTIFF."""
    with path.open("rb") as file:

        def read(at: int, size: int) -> bytes:
            file.seek(at)
            return file.read(size)

        return _exif(read)


def _exif(read: Read) -> Exif:
    order = _ORDERS.get(read(0, 4))
    first = read(4, 4)
    if order is None or len(first) < 4:
        return Exif()
    main = _directory(read, order, struct.unpack(f"{order}I", first)[0])
    return Exif(
        main=main,
        shot=_directory(read, order, _pointer(main, EXIF_POINTER)),
        gps=_directory(read, order, _pointer(main, GPS_POINTER)),
    )


def _pointer(directory: Directory, tag: int) -> int:
    value = directory.get(tag)
    at = value[0] if isinstance(value, tuple) and value else 0
    return at if isinstance(at, int) and at > 0 else 0


def _directory(read: Read, order: str, at: int) -> Directory:
    """Read a directory's fields, the first of each tag; empty if there is none."""
    head = read(at, 2) if at else b""
    if len(head) < 2:
        return {}
    entries = min(struct.unpack(f"{order}H", head)[0], _MAX_ENTRIES)
    table = read(at + 2, 12 * entries)
    fields: dict[int, Value] = {}
    whole = len(table) - len(table) % 12
    for tag, kind, count, inline in struct.iter_unpack(f"{order}HHI4s", table[:whole]):
        if tag not in fields:
            value = _value(read, order, kind, count, inline)
            if value is not None:
                fields[tag] = value
    return fields


def _value(
    read: Read, order: str, kind: int, count: int, inline: bytes
) -> Value | None:
    if kind in _TEXT_KINDS:
        return _bytes(read, order, min(count, _MAX_TEXT), count, inline)
    layout = _NUMBER_KINDS.get(kind)
    if layout is None:
        return None
    size = struct.calcsize(f"{order}{layout}")
    wanted = size * min(count, _MAX_NUMBERS)
    raw = _bytes(read, order, wanted, size * count, inline)
    numbers = struct.iter_unpack(f"{order}{layout}", raw[: len(raw) // size * size])
    return tuple(_fraction(n) if kind in _FRACTIONS else n[0] for n in numbers)


def _bytes(read: Read, order: str, wanted: int, size: int, inline: bytes) -> bytes:
    """The first `wanted` of a field's `size` bytes: in its entry, or elsewhere."""
    if size <= 4:
        return inline[:wanted]
    return read(struct.unpack(f"{order}I", inline)[0], wanted)


def _fraction(pair: tuple[int, int]) -> float | None:
    return pair[0] / pair[1] if pair[1] else None
