"""Taking a job on: an upload, an announced upload, or an object that is here already.

Whatever is refused leaves neither a row nor a file behind.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pixtools.domain.errors import UploadTooLarge
from pixtools.domain.job import Job, Source
from pixtools.domain.keys import source_key
from pixtools.jobs.admission import admit
from pixtools.jobs.intake import (
    Intake,
    Received,
    header_of,
    source_unless_refused,
)
from pixtools.jobs.orders import (
    IdempotencyKey,
    Order,
    Submitted,
    accept,
    in_flight,
    job_of,
)
from pixtools.jobs.photos import (
    check_fetching,
    object_of_tenant,
    open_local_file,
    stored_source,
)
from pixtools.jobs.ports.blobs import SignedUpload
from pixtools.jobs.service import Service

__all__ = [
    "IdempotencyKey",
    "Intake",
    "Order",
    "Received",
    "Submitted",
    "admit",
    "announce",
    "submit_file",
    "submit_object",
    "submit_upload",
    "submit_url",
]

CHUNK = 1024 * 1024


def submit_upload(
    service: Service, order: Order, intake: Intake, *, filename: str | None = None
) -> Submitted:
    """Queue a job for what an intake has taken in.

    Raises InvalidPipeline, QueueFull, TenantShareExceeded, IdempotencyMismatch,
    IdempotencyInFlight, BatchNotFound, JobConflict, and what `Intake.finish` raises.
    """
    with intake, in_flight(service, order, held=intake.idempotency_key):
        received = intake.finish()
        source = stored_source("upload", received, filename)
        submitted = accept(
            service, order, job_of(service, order, source, intake.job_id)
        )
        if not submitted.replayed:
            intake.keep()
        return submitted


def announce(
    service: Service,
    order: Order,
    *,
    filename: str | None = None,
    content_type: str | None = None,
    bytes: int | None = None,
    sha256: str | None = None,
) -> Submitted:
    """Make a job that waits for its upload, and permission to upload it.

    The answer to a repeated order carries a new permission while it still waits.
    """
    check_announced(service, bytes)
    job_id = service.ids.new()
    source = Source(
        type="s3_presigned",
        key=source_key(job_id),
        filename=filename,
        content_type=content_type,
        bytes=bytes,
        sha256=sha256,
    )
    with in_flight(service, order):
        submitted = accept(service, order, job_of(service, order, source, job_id))
    return replace(submitted, upload=_permission(service, submitted.job))


def submit_object(
    service: Service, order: Order, *, key: str, filename: str | None = None
) -> Submitted:
    """Queue a job for an object that the tenant put below `inbox/{tenant}/`.

    The object is copied: what happens to it later does not touch the job.
    Raises SourceMissing, and what `submit_upload` raises.
    """
    object_of_tenant(service, order.tenant, key)
    job_id = service.ids.new()
    with in_flight(service, order), source_unless_refused(service, job_id):
        blob = service.blobs.copy(key, source_key(job_id))
        # The copy is looked at: nobody can swap that one.
        received = Received(blob, header_of(service, blob))
        source = stored_source("object", received, filename or key.rpartition("/")[2])
        submitted = accept(service, order, job_of(service, order, source, job_id))
        if submitted.replayed:
            service.blobs.delete(source_key(job_id))
        return submitted


def submit_file(
    service: Service, order: Order, *, path: str, filename: str | None = None
) -> Submitted:
    """Queue a job for a file below the configured local root; it is copied.

    Raises InvalidRequest where no root is configured or the path, its symbolic
    links resolved, leads out of it; and what `submit_upload` raises.
    """
    with (
        open_local_file(service, path) as opened,
        Intake.begin(service, order.tenant) as intake,
    ):
        while chunk := opened.read(CHUNK):
            intake.write(chunk)
        received = intake.finish()
        name = filename or Path(opened.name).name
        source = stored_source("local_file", received, name)
        job = job_of(service, order, source, intake.job_id)
        with in_flight(service, order):
            submitted = accept(service, order, job)
        if not submitted.replayed:
            intake.keep()
        return submitted


def submit_url(
    service: Service,
    order: Order,
    *,
    url: str,
    filename: str | None = None,
    bytes: int | None = None,
    sha256: str | None = None,
) -> Submitted:
    """Queue a job for a photo that a worker fetches from an address.

    What it turns out to be is the job's fate, not this call's. Raises InvalidRequest
    where nothing is fetched, UploadTooLarge for what was announced as too large, and
    what taking a job on raises.
    """
    check_fetching(service)
    check_announced(service, bytes)
    job_id = service.ids.new()
    source = Source(
        type="url",
        key=source_key(job_id),
        filename=filename,
        bytes=bytes,
        sha256=sha256,
        url=url,
    )
    with in_flight(service, order):
        return accept(service, order, job_of(service, order, source, job_id))


def check_announced(service: Service, bytes: int | None) -> None:
    """Raise UploadTooLarge if more bytes were announced than a source may have."""
    most = service.rules.limits.max_upload_bytes
    if bytes is not None and bytes > most:
        raise UploadTooLarge(f"Expected a file of at most {most:,} bytes.")


def _permission(service: Service, job: Job) -> SignedUpload | None:
    if job.status != "created":
        return None
    source = job.source
    return service.links.upload(
        source.key,
        content_type=source.content_type,
        bytes=source.bytes,
        sha256=source.sha256,
    )
