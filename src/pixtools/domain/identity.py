"""Who asks: API keys as texts and as facts, and what each allows."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args

Scope = Literal["read", "write"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
"""`read` looks, `write` changes."""

DEFAULT_TENANT: Final = "default"
"""Whose everything is while nobody is asked who they are."""

KEY_BYTES: Final = 24
"""Of randomness in a key: more than anybody can try."""

_PREFIX: Final = "ptk_"
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BODY, _CHECK = 33, 6
_KEY: Final = re.compile(f"{_PREFIX}[0-9A-Za-z]{{{_BODY + _CHECK}}}")
_TENANT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who asks, as far as it matters: for which tenant, and how much is allowed."""

    tenant: str
    scopes: frozenset[Scope] = frozenset(SCOPES)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What is kept of a key. `shown` is its beginning and end, `digest` an HMAC."""

    id: str
    tenant: str = DEFAULT_TENANT
    name: str = ""
    shown: str
    digest: str
    scopes: tuple[Scope, ...] = SCOPES
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def is_live(self, now: datetime) -> bool:
        """Whether it opens anything."""
        expired = self.expires_at is not None and self.expires_at <= now
        return self.revoked_at is None and not expired

    @property
    def identity(self) -> Identity:
        """Whom it stands for."""
        return Identity(tenant=self.tenant, scopes=frozenset(self.scopes))


def key_text(randomness: bytes) -> str:
    """Write a key: `ptk_`, the randomness, and a checksum that scanners can check."""
    body = _PREFIX + _base62(int.from_bytes(randomness[:KEY_BYTES], "big"), _BODY)
    return body + _checksum(body)


def is_key_text(text: str) -> bool:
    """Whether this is a key as `key_text` writes one, its checksum right."""
    if not _KEY.fullmatch(text):
        return False
    return _checksum(text[:-_CHECK]) == text[-_CHECK:]


def shown_key(text: str) -> str:
    """As much of a key as may be shown, to tell it from others."""
    return f"{text[: len(_PREFIX) + 4]}…{text[-4:]}"


def is_tenant(text: str) -> bool:
    """Whether a tenant may be called so: its name is part of keys of objects."""
    return bool(_TENANT.fullmatch(text))


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECK)


def _base62(value: int, width: int) -> str:
    digits: list[str] = []
    for _ in range(width):
        value, digit = divmod(value, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
