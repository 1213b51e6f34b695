"""What a header says of a photo beside its kind and size, as far as that is cheap.

Whoever plans with it errs on one side: what is found here is true, what is not found
may be so all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pixtools.jobs.boxes import Reader, is_deep

_ALPHA_OF_PNG: Final = frozenset({4, 6})
_PROGRESSIVE: Final = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers that begin a frame of a JPEG (ITU-T T.81, table B.1)."""
_MOST_SEGMENTS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What adds to the memory that a photo takes."""

    has_alpha: bool = False
    bits: int = 8
    interlaced: bool = False


def traits(format: str, head: bytes, file: Reader) -> Traits:
    """Read them; hostile or short files have none."""
    try:
        match format:
            case "png":
                return _of_png(head)
            case "webp":
                return _of_webp(head)
            case "jpg":
                return Traits(interlaced=_is_progressive(file))
            case "avif":
                return Traits(bits=10 if is_deep(file) else 8)
    except Exception:  # noqa: BLE001 - hostile bytes may raise anything
        return Traits()
    return Traits()


def _of_png(head: bytes) -> Traits:
    """IHDR comes first, in every file."""
    return Traits(
        has_alpha=head[25] in _ALPHA_OF_PNG, bits=head[24], interlaced=head[28] == 1
    )


def _of_webp(head: bytes) -> Traits:
    kind = head[12:16]
    if kind == b"VP8X":
        return Traits(has_alpha=bool(head[20] & 0x10))
    return Traits(has_alpha=kind == b"VP8L" and bool(head[24] & 0x10))


def _is_progressive(file: Reader) -> bool:
    """Whether the first frame is, which stands after what cameras have to say."""
    at = 2
    for _ in range(_MOST_SEGMENTS):
        file.seek(at)
        head = file.read(4)
        if head[1] == 0xFF:  # a fill byte
            at += 1
            continue
        if head[0] != 0xFF or head[1] in _FRAMES:
            return head[0] == 0xFF and head[1] in _PROGRESSIVE
        at += 2 + int.from_bytes(head[2:4], "big")
    return False
