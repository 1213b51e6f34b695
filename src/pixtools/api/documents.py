"""Documents as answers: their headers, tags and how to wait for a change."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import Request, Response

from pixtools.domain.document import BatchDocument, JobDocument

_OF_JOB: dict[str, Any] = {
    "outputs": {"__all__": {"url", "url_expires_at"}},
    "archive": {"url"},
}
_OF_BATCH: dict[str, Any] = {"jobs": {"__all__": _OF_JOB}, "archive": {"url"}}


def etag(document: JobDocument | BatchDocument, now: datetime, period: float) -> str:
    """A weak tag: changes with the facts, and each `period` for the links' sake."""
    of_batch = isinstance(document, BatchDocument)
    facts = document.model_dump_json(exclude=_OF_BATCH if of_batch else _OF_JOB)
    digest = hashlib.sha256(facts.encode()).hexdigest()[:20]
    return f'W/"{digest}-{int(now.timestamp() // period):x}"'


def not_modified(request: Request, tag: str) -> bool:
    """Whether the client already has this document (RFC 9110 §13.1.2)."""
    given = request.headers.get("if-none-match")
    if given is None:
        return False
    known = {part.strip().removeprefix("W/") for part in given.split(",")}
    return "*" in known or tag.removeprefix("W/") in known


def settled(document: JobDocument | BatchDocument) -> bool:
    """Whether nothing of the document will change any more, but its links."""
    archive = document.archive
    waiting = archive is not None and archive.status in ("pending", "processing")
    return document.finished_at is not None and not waiting


def answer(
    document: JobDocument | BatchDocument,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A document as it goes over the wire; what is still moving says when to ask."""
    extra = {} if settled(document) else {"Retry-After": "1"}
    return Response(
        document.model_dump_json(),
        status_code=status,
        headers={"Cache-Control": "no-store", **extra, **(headers or {})},
        media_type="application/json",
    )
