"""`never_larger`: the source's own bytes where a new file would only be larger.

Privacy goes first: the bytes are kept only where nothing in them would have been
stripped, which is known for JPEG, PNG and WebP by walking through their parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from pixtools.domain.report import SourceFacts
from pixtools.domain.task import Task
from pixtools.engine.header import open_header
from pixtools.engine.icc import is_srgb

_PLAIN = {
    # JFIF, ICC, Adobe; frames, tables and scans.
    "jpg": {0xE0, 0xE2, 0xEE, 0xDB, 0xC4, 0xDD, *range(0xC0, 0xC4)},
    "png": {
        *(b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"),
        *(b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"bKGD", b"pHYs"),
    },
    "webp": {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ICCP"},
}
_JPEG_HEADS = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}


def keep_if_smaller(source: Path, facts: SourceFacts, task: Task, path: Path) -> bool:
    """Put the source's bytes in place of a larger output; whether it did so."""
    if not (task.output.encode.never_larger and _is_same(facts, task)):
        return False
    if source.stat().st_size >= path.stat().st_size or not _is_standard(source, facts):
        return False
    if task.output.encode.keep_metadata != "all" and not is_plain(source, facts.format):
        return False
    import shutil  # with compressors that no other output needs

    shutil.copyfile(source, path)
    return True


def is_plain(source: Path, format: str) -> bool:
    """Whether a file holds its picture and nothing else, not even after its end."""
    parts = {"jpg": _jpeg_parts, "png": _png_parts, "webp": _webp_parts}.get(format)
    if parts is None:
        return False
    with source.open("rb") as file:
        return all(part in _PLAIN[format] for part in parts(file))


def _is_same(facts: SourceFacts, task: Task) -> bool:
    return (
        task.output.encode.format == facts.format
        and task.layout.size == (facts.width, facts.height)
        and task.output.mark is None
        and task.output.denoise is None
        and facts.orientation == 1
        and task.frames == facts.pages
    )


def _is_standard(source: Path, facts: SourceFacts) -> bool:
    """Whether the stored colours are what outputs hold: sRGB or grey."""
    if facts.icc_profile is not None:
        return facts.color_space == "srgb" and is_srgb(
            open_header(source, facts.format)
        )
    return facts.color_space in ("srgb", "b-w", "rgb16", "grey16")


def _jpeg_parts(file: BinaryIO) -> Iterator[object]:
    """Markers up to the first scan; None where more than an end follows it."""
    file.seek(2)
    while True:
        marker = file.read(2)
        if len(marker) < 2 or marker[0] != 0xFF:
            yield None
            return
        if marker[1] == 0xDA:
            break
        body = file.read(max(0, int.from_bytes(file.read(2), "big") - 2))
        hides = marker[1] in _JPEG_HEADS and not body.startswith(_JPEG_HEADS[marker[1]])
        yield None if hides else marker[1]
    yield from _scan_parts(file.read())


def _scan_parts(data: bytes) -> Iterator[object]:
    at = data.find(b"\xff")
    while 0 <= at < len(data) - 1:
        marker = data[at + 1]
        if marker == 0xD9:
            if at + 2 != len(data):
                yield None
            return
        if marker in (0, 0xFF) or 0xD0 <= marker <= 0xD7:
            at = data.find(b"\xff", at + (1 if marker == 0xFF else 2))
            continue
        if marker != 0xDA:
            yield marker
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        at = data.find(b"\xff", at)
    yield None


def _png_parts(file: BinaryIO) -> Iterator[object]:
    file.seek(8)
    while head := file.read(8):
        yield head[4:]
        file.seek(int.from_bytes(head[:4], "big") + 4, 1)
        if head[4:] == b"IEND" and file.read(1):
            yield None


def _webp_parts(file: BinaryIO) -> Iterator[object]:
    file.seek(4)
    end = int.from_bytes(file.read(4), "little") + 8
    file.seek(12)
    while file.tell() < end and (head := file.read(8)):
        yield head[:4]
        size = int.from_bytes(head[4:], "little")
        file.seek(size + size % 2, 1)
    if file.read(1):
        yield None
