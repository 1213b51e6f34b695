"""Errors as RFC 9457 problems: the one table of codes and HTTP statuses."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from pixtools.api.quotas import OutOfQuota, tell
from pixtools.domain.errors import FieldError, PixtoolsError
from pixtools.domain.explain import field_errors

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
MEDIA_TYPE: Final = "application/problem+json"

STATUS: Final[dict[str, int]] = {
    "error": 500,
    "invalid_request": 422,
    "invalid_pipeline": 422,
    "invalid_idempotency_key": 400,
    "unsafe_destination": 422,
    "source_error": 400,
    "empty_file": 400,
    "unsupported_format": 415,
    "corrupt_image": 400,
    "truncated_image": 400,
    "upload_too_large": 413,
    "image_too_large": 422,
    "image_too_large_for_memory": 422,
    "too_many_frames": 422,
    "source_refused": 422,
    "source_unreachable": 503,
    "output_error": 422,
    "output_too_large": 422,
    "output_too_large_for_format": 422,
    "max_bytes_unreachable": 422,
    "watermark_unusable": 422,
    "denoiser_unusable": 503,
    "encode_failed": 422,
    "refused": 409,
    "job_not_found": 404,
    "batch_not_found": 404,
    "job_expired": 410,
    "key_not_found": 404,
    "job_conflict": 409,
    "delivery_not_found": 404,
    "sandbox_not_found": 404,
    "secret_fixed": 409,
    "upload_missing": 409,
    "upload_mismatch": 409,
    "source_missing": 409,
    "link_invalid": 403,
    "link_expired": 403,
    "idempotency_mismatch": 422,
    "idempotency_in_flight": 409,
    "queue_full": 503,
    "tenant_share_exceeded": 429,
    "rate_limited": 429,
    "access_denied": 403,
    "credentials_missing": 401,
    "credentials_invalid": 401,
    "scope_missing": 403,
    "cross_site_request": 403,
    "host_unknown": 403,
    "interrupted": 409,
    "canceled": 409,
    "timed_out": 503,
    "lease_lost": 409,
    "unavailable": 503,
    "storage_unavailable": 503,
    "database_unavailable": 503,
    "broker_unavailable": 503,
    "issuer_unavailable": 503,
    "worker_lost": 503,
    "weights_unusable": 422,
    "configuration_invalid": 500,
    "internal_error": 500,
}
"""Which HTTP status says the same as an error's code."""

HTTP_CODES: Final[dict[int, tuple[str, str]]] = {
    400: ("malformed_request", "The request can't be read."),
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not answer to that method."),
    408: ("request_timeout", "The request came too slowly."),
    411: ("length_required", "The length of the body must be told first."),
    413: ("body_too_large", "The request's body is too large."),
    415: ("unsupported_media_type", "This content type is not understood here."),
    416: ("range_not_satisfiable", "The file has no such bytes."),
    500: ("internal_error", "Something went wrong on our side."),
}
"""Codes and titles of what HTTP itself refuses, before any verb is called."""

RETRY_AFTER: Final[dict[str, int]] = {
    "idempotency_in_flight": 1,
    "tenant_share_exceeded": 5,
    "queue_full": 5,
    "rate_limited": 1,
    "timed_out": 5,
    "source_unreachable": 5,
    "unavailable": 2,
    "storage_unavailable": 2,
    "database_unavailable": 2,
    "broker_unavailable": 2,
    "issuer_unavailable": 5,
    "worker_lost": 2,
}
"""Seconds after which the same request may fare better, where nobody knows more."""


CHALLENGE: Final = 'Bearer realm="PixTools"'
"""What a 401 asks for (RFC 6750)."""


class WrongField(BaseModel):
    """One wrong field of a request."""

    pointer: str = Field(description="JSON pointer to the field.")
    detail: str = Field(description="What was expected and what came.")


class Problem(BaseModel):
    """An error, as RFC 9457 describes it."""

    type: str = Field(description="Where this kind of error is described.")
    title: str = Field(description="What this kind of error means.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What went wrong this time.")
    code: str = Field(description="The stable name of this kind of error.")
    request_id: str | None = Field(description="The X-Request-ID of this request.")
    errors: list[WrongField] | None = Field(None, description="Each wrong field.")


def of_error(error: PixtoolsError, request_id: str | None) -> Problem:
    """The problem that tells a client about a domain error."""
    return _problem(
        error.code,
        status_of(type(error)),
        title_of(type(error)),
        error.detail,
        request_id,
        error.fields,
    )


def of_status(status: int, detail: str | None, request_id: str | None) -> Problem:
    """The problem for an error that only HTTP knows."""
    phrase = HTTPStatus(status).phrase
    known = HTTP_CODES.get(status)
    code, title = known or (phrase.lower().replace(" ", "_"), phrase)
    said = detail if detail and detail != phrase else title
    return _problem(code, status, title, said, request_id)


def status_of(kind: type[PixtoolsError]) -> int:
    """The status of an error; one that only another room knows has its parent's."""
    codes = (parent.__dict__.get("code") for parent in kind.__mro__)
    return next(STATUS[code] for code in codes if code in STATUS)


def title_of(kind: type[PixtoolsError]) -> str:
    """What this kind of error means, in one sentence that never changes."""
    return (kind.__doc__ or kind.code).strip().splitlines()[0]


def response(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """A problem as it goes over the wire."""
    extra = dict(headers or {})
    if problem.code in RETRY_AFTER:
        extra.setdefault("Retry-After", str(RETRY_AFTER[problem.code]))
    if problem.status == 401:
        extra.setdefault("WWW-Authenticate", CHALLENGE)
    return Response(
        problem.model_dump_json(exclude_none=True),
        status_code=problem.status,
        headers={"Cache-Control": "no-store", **extra},
        media_type=MEDIA_TYPE,
    )


def request_id_of(request: Request) -> str | None:
    """The id that the envelope gave this request."""
    found: object = request.scope.get("state", {}).get("request_id")
    return found if isinstance(found, str) else None


async def on_domain_error(request: Request, error: Exception) -> Response:
    """Answer a PixtoolsError."""
    assert isinstance(error, PixtoolsError)  # noqa: S101 - registered for it alone
    problem = of_error(error, request_id_of(request))
    if isinstance(error, OutOfQuota):
        tell(request, error.told)
    if error.retry_after is None:
        return response(problem)
    seconds = max(1, math.ceil(error.retry_after))
    return response(problem, {"Retry-After": str(seconds)})


async def on_http_exception(request: Request, error: Exception) -> Response:
    """Answer Starlette's own refusals: unknown routes, wrong methods and the like."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it alone
    problem = of_status(error.status_code, error.detail, request_id_of(request))
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_allowed(request))
    return response(problem, headers)


async def on_invalid_parameters(request: Request, error: Exception) -> Response:
    """Answer parameters that FastAPI could not read, one sentence for each."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - likewise
    findings = [{**found, "loc": found["loc"][1:]} for found in error.errors()]
    fields = field_errors(findings)  # type: ignore[arg-type]  # same keys, untyped
    problem = _problem(
        "invalid_request",
        STATUS["invalid_request"],
        "The request can't be understood.",
        fields[0].detail,
        request_id_of(request),
        fields,
    )
    return response(problem)


def _allowed(request: Request) -> list[str]:
    """All methods of an address; Starlette names only those of one of its routes."""
    routes = request.app.router.routes
    scopes = {method: {**request.scope, "method": method} for method in METHODS}
    return [
        method
        for method, scope in scopes.items()
        if any(route.matches(scope)[0] is Match.FULL for route in routes)
    ]


def _problem(
    code: str,
    status: int,
    title: str,
    detail: str,
    request_id: str | None,
    fields: Sequence[FieldError] = (),
) -> Problem:
    wrong = [WrongField(pointer=f.pointer, detail=f.detail) for f in fields]
    return Problem(
        type=f"/docs#{code}",
        title=title,
        status=status,
        detail=detail,
        code=code,
        request_id=request_id,
        errors=wrong or None,
    )
