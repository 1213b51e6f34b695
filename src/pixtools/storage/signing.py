"""Permissions that travel in a URL: signed with HMAC-SHA256, bound to everything.

A token is `claims.signature`, both base64url. The signature covers the method, the
key and the claims as they stand in the token, so nothing has to be put back into a
canonical form before it is checked, and no other text has the same meaning.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from pixtools.domain.errors import LinkExpired, LinkInvalid

Method = Literal["GET", "PUT"]

_SCHEME = "pixtools files 1"
_COMPACT = json.JSONEncoder(separators=(",", ":"))
"""Made once: `json.dumps` makes one for each text that is not of its own taste."""

_SHORT = {"filename": "n", "content_type": "t", "bytes": "b", "sha256": "h"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """What the holder of a link may do, until when; `expires_at` in whole seconds.

    A GET serves `key` as `filename` and `content_type`. A PUT stores exactly what
    was announced: each of content type, byte count and SHA-256 that is not None.
    """

    method: Method
    key: str
    expires_at: datetime
    filename: str | None = None
    content_type: str | None = None
    bytes: int | None = None
    sha256: str | None = None


class Secrets(Protocol):
    """The secrets that sign and verify."""

    def newest(self) -> tuple[str, bytes]:
        """The name and bytes of the secret that signs."""
        ...

    def named(self, name: str) -> bytes | None:
        """A secret that still verifies, or None."""
        ...


def sign(permission: Permission, secrets: Secrets) -> str:
    """The token that stands for a permission."""
    name, secret = secrets.newest()
    claims: dict[str, object] = {"k": name, "x": int(permission.expires_at.timestamp())}
    for long, short in _SHORT.items():
        value = getattr(permission, long)
        if value is not None:
            claims[short] = value
    text = _text(_COMPACT.encode(claims).encode())
    return f"{text}.{_mac(secret, permission.method, permission.key, text)}"


def verify(
    token: str, method: Method, key: str, now: datetime, secrets: Secrets
) -> Permission:
    """What a token permits.

    Raises:
        LinkInvalid: nobody here has signed it for this method and key.
        LinkExpired: its time is over.
    """
    text, _, mac = token.partition(".")
    claims = _claims(text)
    secret = secrets.named(str(claims.get("k")))
    expected = _mac(secret or b"", method, key, text)
    if not hmac.compare_digest(_octets(expected), _octets(mac)) or secret is None:
        raise LinkInvalid
    expires_at = datetime.fromtimestamp(claims["x"], UTC)
    if now >= expires_at:
        raise LinkExpired(f"This link expired at {expires_at:%Y-%m-%d %H:%M:%S} UTC.")
    told = {long: claims.get(short) for long, short in _SHORT.items()}
    return Permission(method=method, key=key, expires_at=expires_at, **told)


def _mac(secret: bytes, method: Method, key: str, claims: str) -> str:
    # A key holds no line breaks, and the other parts none either.
    message = f"{_SCHEME}\n{method}\n{key}\n{claims}"
    return _text(hmac.digest(secret, _octets(message), hashlib.sha256))


def _claims(text: str) -> dict[str, Any]:
    try:
        padded = text + "=" * (-len(text) % 4)
        claims = json.loads(urlsafe_b64decode(_octets(padded)))
    except (binascii.Error, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _text(octets: bytes) -> str:
    return urlsafe_b64encode(octets).decode().rstrip("=")


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
