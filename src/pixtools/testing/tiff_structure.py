"""Write TIFF structures: directories of fields, in either byte order.

The same structure carries an EXIF blob and a TIFF file (TIFF 6.0, sections 2 and 8).
A directory is a dict from tag to field; a field may be values, another directory, or
chunks of data to which the file points. Nothing is checked, so that a test can also
write what no camera would.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "ByteOrder",
    "Chunks",
    "Directory",
    "Field",
    "ascii_text",
    "longs",
    "octets",
    "rationals",
    "shorts",
    "tiff_structure",
    "undefined",
]

ByteOrder = Literal["<", ">"]
"""Little endian ("II") or big endian ("MM")."""

FIRST_DIRECTORY = 8
"""The offset in bytes of the first directory of every structure made here."""

_LONG = 4
_FORMATS = {1: "B", 2: "B", 3: "H", 4: "I", 5: "I", 7: "B", 10: "i"}
_PER_VALUE = {5: 2, 10: 2}


@dataclass(frozen=True, slots=True)
class Field:
    """Numbers of one TIFF type; rationals lie flat, numerator then denominator.

    `count`, where given, is written instead of the true number of values.
    """

    kind: int
    numbers: tuple[int, ...]
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Chunks:
    """Data stored elsewhere in the structure; the field holds its offsets."""

    parts: tuple[bytes, ...]


Directory = dict[int, "Field | Chunks | Directory"]


def ascii_text(text: str | bytes) -> Field:
    """Make a NUL-terminated text field; bytes go in as they are, valid or not."""
    raw = text.encode() if isinstance(text, str) else text
    return Field(2, tuple(raw + b"\0"))


def octets(*numbers: int) -> Field:
    """Make a field of bytes."""
    return Field(1, numbers)


def shorts(*numbers: int) -> Field:
    """Make a field of 16-bit numbers."""
    return Field(3, numbers)


def longs(*numbers: int) -> Field:
    """Make a field of 32-bit numbers."""
    return Field(_LONG, numbers)


def rationals(*pairs: tuple[int, int], signed: bool = False) -> Field:
    """Make a field of fractions, each (numerator, denominator)."""
    return Field(10 if signed else 5, tuple(n for pair in pairs for n in pair))


def undefined(raw: bytes) -> Field:
    """Make a field of bytes whose meaning only the tag knows."""
    return Field(7, tuple(raw))


def tiff_structure(
    directories: Sequence[Directory],
    order: ByteOrder = "<",
    *,
    last_points_to: int = 0,
) -> bytes:
    """Encode a chain of directories with its header.

    `last_points_to` is the offset that the last directory names as its next one: 0
    ends the chain as it should, anything else makes it wrong.
    """
    mark = b"II" if order == "<" else b"MM"
    out = bytearray(mark + struct.pack(order + "HI", 42, FIRST_DIRECTORY))
    for number, directory in enumerate(directories, start=1):
        table, heap = _encode(directory, len(out), order)
        end = len(out) + len(table) + 4 + len(heap)
        following = end if number < len(directories) else last_points_to
        out += table + struct.pack(order + "I", following) + heap
    return bytes(out)


def _encode(
    directory: Directory, offset: int, order: ByteOrder
) -> tuple[bytes, bytearray]:
    """Encode one directory that starts at `offset`: its table and what follows it.

    Chunks come last, so that a file cut short still has whole directories.
    """
    heap = bytearray()
    start = offset + 2 + 12 * len(directory) + 4
    entries = dict[int, bytes]()
    for tag, value in sorted(directory.items(), key=_chunks_last):
        if isinstance(value, Chunks):
            head = struct.pack(order + "HHI", tag, _LONG, len(value.parts))
            entries[tag] = head + _put_chunks(value.parts, heap, start, order)
        else:
            field = _settled(value, heap, start, order)
            entries[tag] = _entry(tag, field, heap, start, order)
    table = struct.pack(order + "H", len(directory))
    return table + b"".join(entries[tag] for tag in sorted(entries)), heap


def _chunks_last(item: tuple[int, Field | Chunks | Directory]) -> tuple[bool, int]:
    return isinstance(item[1], Chunks), item[0]


def _settled(
    value: Field | Directory, heap: bytearray, start: int, order: ByteOrder
) -> Field:
    """Put a directory on the heap and return the field of its offset."""
    if isinstance(value, Field):
        return value
    table, below = _encode(value, start + len(heap), order)
    return longs(_put(table + bytes(4) + below, heap, start))


def _entry(
    tag: int, field: Field, heap: bytearray, start: int, order: ByteOrder
) -> bytes:
    letter = _FORMATS[field.kind]
    raw = struct.pack(f"{order}{len(field.numbers)}{letter}", *field.numbers)
    count = len(field.numbers) // _PER_VALUE.get(field.kind, 1)
    count = count if field.count is None else field.count
    inline = raw.ljust(4, b"\0")
    if len(raw) > 4:
        inline = struct.pack(order + "I", _put(raw, heap, start))
    return struct.pack(order + "HHI", tag, field.kind, count) + inline


def _put_chunks(
    parts: tuple[bytes, ...], heap: bytearray, start: int, order: ByteOrder
) -> bytes:
    """Put the array of offsets on the heap, then what they point to."""
    if len(parts) == 1:
        return struct.pack(order + "I", _put(parts[0], heap, start))
    array = len(heap)
    heap += bytes(4 * len(parts))
    offsets = [_put(part, heap, start) for part in parts]
    heap[array : array + 4 * len(parts)] = struct.pack(
        f"{order}{len(parts)}I", *offsets
    )
    return struct.pack(order + "I", start + array)


def _put(raw: bytes, heap: bytearray, start: int) -> int:
    offset = start + len(heap)
    heap += raw + bytes(len(raw) % 2)
    return offset
