"""Take JPEG files apart by their segments and put them together otherwise (T.81 B)."""

from __future__ import annotations

import struct
from collections.abc import Callable

__all__ = [
    "ADOBE",
    "frame_size_claimed",
    "segments_mapped",
    "with_iptc",
    "with_segment",
]

APP1, APP13, ADOBE = 0xE1, 0xED, 0xEE
_SCAN = 0xDA
_FRAMES = {0xC0, 0xC1, 0xC2}


def segments_mapped(jpeg: bytes, change: Callable[[int, bytes], bytes | None]) -> bytes:
    """Rewrite the segments before the first scan.

    `change` gets each marker and its content, and answers the new content, or None
    to drop the segment.
    """
    out, place = bytearray(jpeg[:2]), 2
    while jpeg[place + 1] != _SCAN:
        marker = jpeg[place + 1]
        length = int.from_bytes(jpeg[place + 2 : place + 4], "big")
        content = change(marker, jpeg[place + 4 : place + 2 + length])
        if content is not None:
            out += _segment(marker, content)
        place += 2 + length
    return bytes(out) + jpeg[place:]


def with_segment(jpeg: bytes, marker: int, content: bytes) -> bytes:
    """Put a segment right behind the start of the image."""
    return jpeg[:2] + _segment(marker, content) + jpeg[2:]


def with_iptc(jpeg: bytes, records: bytes) -> bytes:
    """Put IPTC records in, inside a Photoshop resource as editors do."""
    padding = bytes(len(records) % 2)
    resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(records)) + records + padding
    return with_segment(jpeg, APP13, b"Photoshop 3.0\0" + resource)


def frame_size_claimed(jpeg: bytes, width: int, height: int) -> bytes:
    """Let the frame header claim another size than the scan fills."""

    def claim(marker: int, content: bytes) -> bytes:
        if marker not in _FRAMES:
            return content
        return content[:1] + struct.pack(">HH", height, width) + content[5:]

    return segments_mapped(jpeg, claim)


def _segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content
