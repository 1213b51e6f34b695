"""The Idempotency-Key header, and what makes two requests the same."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from fastapi import Request

from pixtools.api.bodies import canonical
from pixtools.domain.errors import InvalidIdempotencyKey
from pixtools.jobs.submit import IdempotencyKey

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = {"Idempotent-Replayed": "true"}
_VISIBLE: Final = re.compile(r"[\x21-\x7e]{1,255}")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\["\\])*)"')


def key_of(request: Request) -> str | None:
    """The key, quoted (RFC 9651 String) or bare; raises InvalidIdempotencyKey."""
    given = request.headers.getlist(HEADER)
    if not given:
        return None
    if len(given) > 1:
        raise InvalidIdempotencyKey(f"Expected one {HEADER} but received {len(given)}.")
    return parse_key(given[0])


def parse_key(text: str) -> str:
    """Read a key, quoted or bare."""
    quoted = _QUOTED.fullmatch(text.strip())
    key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else text.strip()
    if not _VISIBLE.fullmatch(key):
        raise InvalidIdempotencyKey
    return key


def identified(request: Request, body: object) -> IdempotencyKey | None:
    """The key with the request's fingerprint; `body` is what was sent, as JSON."""
    key = key_of(request)
    return IdempotencyKey(key, fingerprint(request, body)) if key else None


def fingerprint(request: Request, body: object) -> str:
    """SHA-256 over method, route, query and the raw parsed body.

    Not over the validated body: defaults may change with the next deployment.
    """
    route = getattr(request.scope.get("route"), "path", request.scope["path"])
    query = sorted(request.query_params.multi_items())
    return hashlib.sha256(canonical([request.method, route, query, body])).hexdigest()
