"""Placing an order whose photo is not in the request, and answering for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import Response

from pixtools.api import documents
from pixtools.api.idempotency import REPLAYED
from pixtools.api.schemas import AnnouncedJob, NewJob, Upload
from pixtools.api.uploads import wrong
from pixtools.domain.errors import InvalidRequest
from pixtools.domain.job import Source
from pixtools.jobs.photos import check_fetching, seen_file, seen_object
from pixtools.jobs.read import document
from pixtools.jobs.service import Service
from pixtools.jobs.submit import (
    Order,
    Submitted,
    announce,
    submit_file,
    submit_object,
    submit_url,
)


def place(service: Service, order: Order, new: NewJob) -> Submitted:
    """Submit a job whose photo is not in the request."""
    with _object_key_to_blame():
        return _submitted(service, order, new)


def seen(service: Service, order: Order, new: NewJob) -> Source:
    """What is known of a job's photo before it is taken on; of one to come, nothing."""
    with _object_key_to_blame():
        return _looked_at(service, order, new)


def moves(new: NewJob) -> bool:
    """Whether an object is copied while the client waits.

    What waits for its upload, or for a worker that fetches it, touches none.
    """
    return new.source_type in ("object", "local_file")


def taken(
    service: Service, submitted: Submitted, status: int | None = None
) -> Response:
    """The answer to a new job, or to one that was asked for before."""
    job = submitted.job
    shown = document(service, job)
    headers = {"Location": f"/v1/jobs/{job.id}"}
    if submitted.replayed:
        headers |= REPLAYED
    if status or job.source.type != "s3_presigned":
        return documents.answer(shown, status or 202, headers)
    upload = upload_of(submitted)
    if upload is None:
        return documents.answer(shown, 201, headers)
    start_url = f"/v1/jobs/{job.id}/start"
    # Links and client_metadata are parts of the document; nothing is checked twice.
    announced = AnnouncedJob.model_construct(
        **dict(shown), upload=upload, start_url=start_url
    )
    return documents.answer(announced, 201, headers)


def upload_of(submitted: Submitted) -> Upload | None:
    """Where the photo is to be PUT, if it still is."""
    signed = submitted.upload
    if signed is None:
        return None
    return Upload(
        method=signed.method,
        object_key=submitted.job.source.key,
        presigned_put_url=signed.url,
        headers=dict(signed.headers),
        expires_at=signed.expires_at,
    )


@contextmanager
def _object_key_to_blame() -> Iterator[None]:
    try:
        yield
    except InvalidRequest as error:
        if error.fields:
            raise
        # What a verb or the store says of a key, the client wrote as object_key.
        raise wrong("/object_key", error.detail) from None


def _looked_at(service: Service, order: Order, new: NewJob) -> Source:
    match new.source_type:
        case "s3_presigned":
            return Source(
                type="s3_presigned",
                key="",
                filename=new.filename,
                content_type=new.content_type,
                bytes=new.bytes,
            )
        case "object":
            key = new.object_key or ""
            return seen_object(service, order.tenant, key, new.filename)
        case "local_file":
            return seen_file(service, new.object_key or "", new.filename)
        case "url":
            check_fetching(service)
            return Source(type="url", key="", filename=new.filename, bytes=new.bytes)


def _submitted(service: Service, order: Order, new: NewJob) -> Submitted:
    match new.source_type:
        case "s3_presigned":
            return announce(
                service,
                order,
                filename=new.filename,
                content_type=new.content_type,
                bytes=new.bytes,
                sha256=new.sha256.lower() if new.sha256 else None,
            )
        case "object":
            return submit_object(
                service, order, key=new.object_key or "", filename=new.filename
            )
        case "local_file":
            return submit_file(
                service, order, path=new.object_key or "", filename=new.filename
            )
        case "url":
            return submit_url(
                service,
                order,
                url=new.url or "",
                filename=new.filename,
                bytes=new.bytes,
                sha256=new.sha256.lower() if new.sha256 else None,
            )
