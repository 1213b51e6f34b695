"""Ids: UUIDv7, so that rows sort by the time they were made."""

from __future__ import annotations

from uuid import UUID


def uuid7(unix_ms: int, randomness: bytes) -> str:
    """Compose a version 7 UUID (RFC 9562 §5.7) out of a time and 10 random bytes."""
    value = (unix_ms & (2**48 - 1)) << 80 | int.from_bytes(randomness[:10], "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(UUID(int=value))


def is_id(text: str) -> bool:
    """Whether this is a UUID as PixTools writes one, so that it may be looked up."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
