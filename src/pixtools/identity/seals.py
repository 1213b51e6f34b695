"""What only those can make who know a secret: digests of keys, and signed cookies."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final, NamedTuple

_VERSION: Final = "v1"


class Cookie(NamedTuple):
    """Who signed in, by the key's id, and until when (seconds since 1970)."""

    key_id: str
    until: int


def digest_of(secret: bytes, text: str) -> str:
    """The digest under which a key is kept.

    A plain HMAC is enough: nobody can try all keys, so nothing has to be slow.
    """
    return hmac.digest(secret, b"api key\0" + text.encode(), hashlib.sha256).hex()


def signed(secret: bytes, cookie: Cookie) -> str:
    """A cookie's value, which nobody else can make."""
    return f"{_VERSION}.{cookie.key_id}.{cookie.until}.{_mark(secret, cookie)}"


def parsed(value: str) -> tuple[Cookie, str] | None:
    """A cookie with its mark, not yet checked; None for what we never write."""
    version, _, rest = value.partition(".")
    key_id, _, rest = rest.partition(".")
    until, _, mark = rest.partition(".")
    if version != _VERSION or not (until.isascii() and until.isdigit()):
        return None
    return (Cookie(key_id, int(until)), mark) if len(until) < 12 else None


def is_marked(secret: bytes, cookie: Cookie, mark: str) -> bool:
    """Whether this mark was made with this secret."""
    return hmac.compare_digest(_mark(secret, cookie).encode(), mark.encode())


def is_same(one: str, other: str) -> bool:
    """Whether two secrets are equal, told in a time that says nothing of them."""
    return hmac.compare_digest(one.encode(), other.encode())


def _mark(secret: bytes, cookie: Cookie) -> str:
    text = f"session\0{cookie.key_id}\0{cookie.until}"
    return hmac.digest(secret, text.encode(), hashlib.sha256).hex()
