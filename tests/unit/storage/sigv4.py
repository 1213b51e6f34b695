"""Signature Version 4 in the query, written anew from its definition.

It shares no line with the signer that is tested, so that both can't be wrong alike.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import quote, unquote, urlsplit


def signature(
    method: str, url: str, headers: Mapping[str, str], secret: str, payload: str
) -> str:
    """What the signature in a URL ought to be, for a request with these headers."""
    parts = urlsplit(url)
    query = dict(pair.split("=", 1) for pair in parts.query.split("&"))
    query.pop("X-Amz-Signature", None)
    told = {unquote(name): unquote(value) for name, value in query.items()}
    sent = {name.lower(): value for name, value in headers.items()}
    sent["host"] = parts.netloc
    names = told["X-Amz-SignedHeaders"].split(";")
    canonical = "\n".join(
        [
            method,
            quote(unquote(parts.path), safe="/~"),
            "&".join(sorted(f"{_q(n)}={_q(v)}" for n, v in told.items())),
            *(f"{name}:{sent[name].strip()}" for name in names),
            "",
            ";".join(names),
            payload,
        ]
    )
    _, *scope = told["X-Amz-Credential"].split("/")
    to_sign = "\n".join(
        [
            "AWS4-HMAC-SHA256",
            told["X-Amz-Date"],
            "/".join(scope),
            hashlib.sha256(canonical.encode()).hexdigest(),
        ]
    )
    key = f"AWS4{secret}".encode()
    for word in scope:
        key = hmac.digest(key, word.encode(), "sha256")
    return hmac.digest(key, to_sign.encode(), "sha256").hex()


def _q(text: str) -> str:
    return quote(text, safe="-_.~")
