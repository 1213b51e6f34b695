"""Which problems a route may answer with, said in the OpenAPI document."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

from pixtools.api import problems
from pixtools.api.headers import TOLD
from pixtools.domain.errors import every_error

ALWAYS: Final = (500, "database_unavailable")
READS_A_BODY: Final = (400, 408, 413, 415, "invalid_request")
TAKES_WORK: Final = (
    "invalid_pipeline",
    "unsafe_destination",
    "invalid_idempotency_key",
    "idempotency_mismatch",
    "idempotency_in_flight",
    "queue_full",
    "tenant_share_exceeded",
    "rate_limited",
    "storage_unavailable",
)
SOURCES: Final = (
    "empty_file",
    "unsupported_format",
    "corrupt_image",
    "truncated_image",
    "upload_too_large",
    "image_too_large",
    "image_too_large_for_memory",
    "too_many_frames",
)
WHO_ASKS: Final = (
    "credentials_missing",
    "credentials_invalid",
    "scope_missing",
    "cross_site_request",
    "host_unknown",
    "rate_limited",
    "issuer_unavailable",
)
"""What every route that belongs to somebody may answer before it begins."""
ONE_JOB: Final = ("job_not_found", "job_expired")
_LIMITED: Final = frozenset({"rate_limited"})
_CHALLENGED: Final = frozenset({"credentials_missing", "credentials_invalid"})
_HEADERS: Final = {
    "Retry-After": (
        problems.RETRY_AFTER.keys(), "Seconds after which to try again.", "integer",
    ),
    "RateLimit-Policy": (_LIMITED, TOLD["RateLimit-Policy"], "string"),
    "RateLimit": (_LIMITED, TOLD["RateLimit"], "string"),
    "WWW-Authenticate": (_CHALLENGED, TOLD["WWW-Authenticate"], "string"),
}  # fmt: skip
"""Which codes come with a header, what it tells, and its type."""


def refusals(*codes: str | int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: domain codes, or statuses that HTTP itself has."""
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for code in (*codes, *ALWAYS):
        status, name, text = _said(code)
        found[status][name] = text
    return {status: _response(names) for status, names in sorted(found.items())}


def _said(code: str | int) -> tuple[int, str, str]:
    if isinstance(code, int):
        name, text = problems.HTTP_CODES[code]
        return code, name, text
    kind = every_error()[code]
    return problems.STATUS[code], code, problems.title_of(kind)


def _response(names: dict[str, str]) -> dict[str, Any]:
    lines = [f"- `{name}`: {text}" for name, text in sorted(names.items())]
    schema = {"$ref": "#/components/schemas/Problem"}
    known: dict[str, Any] = {"description": "\n".join(lines)}
    known["content"] = {problems.MEDIA_TYPE: {"schema": schema}}
    headers = {
        header: {"description": text, "schema": {"type": kind}}
        for header, (codes, text, kind) in _HEADERS.items()
        if codes & names.keys()
    }
    if headers:
        known["headers"] = headers
    return known
