"""Trying what failed once more, as a new job: terminal statuses never change."""

from __future__ import annotations

from pixtools.domain.errors import JobConflict
from pixtools.domain.job import Job, Source
from pixtools.domain.keys import source_key
from pixtools.domain.pipeline import Pipeline
from pixtools.jobs.admission import admit
from pixtools.jobs.intake import Received, header_of, source_unless_refused
from pixtools.jobs.orders import (
    IdempotencyKey,
    Order,
    Submitted,
    accept,
    in_flight,
    job_of,
)
from pixtools.jobs.photos import stored_source
from pixtools.jobs.read import get_job
from pixtools.jobs.service import Service
from pixtools.jobs.submit import submit_url


def retry(
    service: Service,
    tenant: str,
    job_id: str,
    *,
    idempotency: IdempotencyKey | None = None,
    request_id: str | None = None,
    traceparent: str | None = None,
) -> Submitted:
    """Queue a new job with the steps that failed, on a copy of the source.

    A source that could not be fetched is fetched again.

    Raises JobNotFound, JobExpired, JobConflict if the job has not ended or nothing
    of it failed, SourceMissing, QueueFull and TenantShareExceeded.
    """
    old = get_job(service, tenant, job_id)
    order = Order(
        tenant=tenant,
        face=old.face,
        pipeline=_failed_steps(old),
        archive=old.archive is not None,
        webhook_url=old.webhook_url,
        webhook_base=old.webhook.base if old.webhook else "",
        client_metadata=old.client_metadata,
        retry_of=old.id,
        idempotency=idempotency,
        request_id=request_id,
        traceparent=traceparent,
    )
    admit(service, tenant, idempotency.key if idempotency else None)
    if old.source.url:
        return _fetched_again(service, order, old.source)
    return _copied(service, order, old.source)


def _copied(service: Service, order: Order, source: Source) -> Submitted:
    new_id = service.ids.new()
    with in_flight(service, order), source_unless_refused(service, new_id):
        blob = service.blobs.copy(source.key, source_key(new_id))
        received = Received(blob, header_of(service, blob))
        copy = stored_source(source.type, received, source.filename)
        submitted = accept(service, order, job_of(service, order, copy, new_id))
        if submitted.replayed:
            service.blobs.delete(source_key(new_id))
        return submitted


def _fetched_again(service: Service, order: Order, source: Source) -> Submitted:
    return submit_url(
        service,
        order,
        url=source.url or "",
        filename=source.filename,
        bytes=source.bytes,
        sha256=source.sha256,
    )


def _failed_steps(job: Job) -> Pipeline:
    if not job.terminal:
        raise JobConflict(
            f"The job is {job.status}: only one that ended can be retried."
        )
    good = {output.id for output in job.outputs if output.status == "succeeded"}
    if job.facts is not None:
        good |= {step["id"] for step in job.pipeline if step["action"] == "metadata"}
    failed = [step for step in job.pipeline if step["id"] not in good]
    if not failed:
        raise JobConflict("Nothing of this job failed.")
    return Pipeline.parse(failed)
