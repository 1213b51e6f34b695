"""Sizes of AVIF and HEIC, read from boxes of every spelling."""

from __future__ import annotations

import io
import struct

import pytest

from pixtools.jobs.boxes import measured


def box(kind: bytes, content: bytes, *, wide: bool = False) -> bytes:
    """A box; a wide one says its size in 64 bits."""
    if wide:
        return struct.pack(">I4sQ", 1, kind, len(content) + 16) + content
    return struct.pack(">I4s", len(content) + 8, kind) + content


def image(
    *,
    wide: bool = False,
    long_ids: bool = False,
    long_ties: bool = False,
    turned: int | None = None,
) -> bytes:
    """Boxes around an image of 300 x 200 pixels; the item before it is another's."""
    sizes = box(b"ispe", bytes(4) + struct.pack(">II", 300, 200))
    other = box(b"ispe", bytes(4) + struct.pack(">II", 9, 9))
    shelf = [other, sizes] + ([] if turned is None else [box(b"irot", bytes([turned]))])
    ids, ties = ("I" if long_ids else "H"), ("H" if long_ties else "B")
    essential = 0x8000 if long_ties else 0x80
    mine = [2] if turned is None else [2, 3 | essential]
    head = bytes([long_ids, 0, 0, long_ties]) + struct.pack(">I", 2)
    first = struct.pack(f">{ids}B{ties}", 1, 1, 1)
    second = struct.pack(f">{ids}B{len(mine)}{ties}", 2, len(mine), *mine)
    tie = box(b"ipma", head + first + second)
    properties = box(b"iprp", box(b"ipco", b"".join(shelf), wide=wide) + tie)
    primary = box(b"pitm", bytes([long_ids, 0, 0, 0]) + struct.pack(f">{ids}", 2))
    meta = box(b"meta", bytes(4) + primary + properties, wide=wide)
    return box(b"ftyp", b"avif" + bytes(4)) + box(b"free", b"", wide=wide) + meta


def read(data: bytes) -> tuple[int, int, int]:
    return measured(io.BytesIO(data))


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("long_ids", [False, True])
@pytest.mark.parametrize("long_ties", [False, True])
def test_the_primary_image_is_measured(
    wide: bool, long_ids: bool, long_ties: bool
) -> None:
    """And not the first image that has a size."""
    data = image(wide=wide, long_ids=long_ids, long_ties=long_ties)
    assert read(data) == (300, 200, 1)


@pytest.mark.parametrize(("turned", "orientation"), [(0, 1), (1, 8), (2, 3), (3, 6)])
def test_quarter_turns_are_told_as_exif_tells_them(
    turned: int, orientation: int
) -> None:
    assert read(image(turned=turned)) == (300, 200, orientation)


def test_the_last_box_may_reach_to_the_end() -> None:
    """A size of nought says so."""
    data = image()
    at = data.index(b"meta") - 4
    assert read(data[:at] + bytes(4) + data[at + 4 :]) == (300, 200, 1)


@pytest.mark.parametrize(
    "missing", [b"meta", b"iprp", b"ipco", b"ipma", b"pitm", b"ispe"]
)
def test_without_a_part_there_is_no_size(missing: bytes) -> None:
    with pytest.raises((ValueError, KeyError)):
        read(image().replace(missing, b"free"))


@pytest.mark.parametrize("end", range(0, 130, 7))
def test_boxes_that_end_too_early_are_refused(end: int) -> None:
    with pytest.raises((ValueError, KeyError, IndexError)):
        read(image()[:end])


def test_more_boxes_than_any_file_has_are_refused() -> None:
    """Nor are boxes that hold themselves walked for ever."""
    many = box(b"meta", bytes(4) + box(b"free", b"") * 5000)
    tiny = struct.pack(">I4s", 4, b"free") * 5000
    for data in (many, tiny, box(b"free", b"") * 5000):
        with pytest.raises((ValueError, KeyError)):
            read(data)
