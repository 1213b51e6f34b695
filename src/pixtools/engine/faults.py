"""From what libvips said to whose fault it is, in the user's words.

libvips' own text is never shown: it names paths and internals.
"""

from __future__ import annotations

from pathlib import Path

from pixtools.domain.errors import (
    CorruptImage,
    EncodeFailed,
    ImageTooLargeForMemory,
    OutputError,
    SourceError,
    TruncatedImage,
)
from pixtools.domain.formats import FORMATS

_CUT_SHORT = (
    "premature end",
    "unexpected end",
    "end of file",
    "bad seek",
    "io error",
    "read error at",
    "not enough data",
    "truncated",
)


def source_fault(text: str, source: Path, format: str) -> SourceError:
    """The error for a source that libvips could not read."""
    title = FORMATS[format].title
    said = text.lower()
    if "out of memory" in said:
        return ImageTooLargeForMemory(f"There is not enough memory for this {title}.")
    if any(sign in said for sign in _CUT_SHORT) or cut_short(source, format):
        return TruncatedImage(f"The {title} ends before its picture is complete.")
    return CorruptImage(f"The {title} is broken: its picture can't be read.")


def output_fault(text: str, format: str) -> OutputError:
    """The error for an output that libvips could not write."""
    reason = text.strip().splitlines()[-1] if text.strip() else "no reason given"
    reason = reason.rpartition(": ")[2] if "/" not in reason else "could not write"
    return EncodeFailed(f"The {FORMATS[format].title} encoder failed: {reason}.")


def cut_short(source: Path, format: str) -> bool:
    """Whether the container says that the file should be longer than it is."""
    with source.open("rb") as file:
        if format == "webp":
            head = file.read(8)
            return int.from_bytes(head[4:8], "little") + 8 > source.stat().st_size
        if format == "png":
            file.seek(max(0, source.stat().st_size - 4096))
            return b"IEND" not in file.read()
    return False
