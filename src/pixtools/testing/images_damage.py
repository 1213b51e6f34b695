"""Take a good file and harm it: cut it short, flip its bits, overwrite a stretch.

Everything works on bytes, so that any file of any format can be harmed.
"""

from __future__ import annotations

import random

__all__ = ["CUTS", "bits_flipped", "overwritten", "truncated"]

CUTS = (0.1, 0.5, 0.9, 0.99)
"""How much of a file is left, where a test wants several cuts."""


def truncated(raw: bytes, left: float = 0.5) -> bytes:
    """Return the first part of a file; `left` is the share that is left, 0 to 1."""
    return raw[: int(len(raw) * left)]


def bits_flipped(raw: bytes, *, seed: int = 0, flips: int = 8, spare: int = 0) -> bytes:
    """Flip `flips` bits at seeded places, leaving the first `spare` bytes alone."""
    places = random.Random(seed)  # noqa: S311 - damage, not secrets
    harmed = bytearray(raw)
    for _ in range(flips):
        harmed[places.randrange(spare, len(harmed))] ^= 1 << places.randrange(8)
    return bytes(harmed)


def overwritten(raw: bytes, *, start: float, length: int, value: int = 0) -> bytes:
    """Overwrite `length` bytes with `value`, from the share `start` of the file on."""
    first = int(len(raw) * start)
    last = min(first + length, len(raw))
    return raw[:first] + bytes([value]) * (last - first) + raw[last:]
