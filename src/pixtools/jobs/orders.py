"""An order, the job that it makes, and the one transaction that takes the job on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from pixtools.domain.errors import IdempotencyMismatch
from pixtools.domain.job import Archive, Face, Job, Source, Stage
from pixtools.domain.pipeline import Pipeline
from pixtools.domain.webhook import Webhook
from pixtools.jobs.admission import check_load
from pixtools.jobs.batch import join_batch
from pixtools.jobs.change import Change, change
from pixtools.jobs.ports.blobs import SignedUpload
from pixtools.jobs.ports.facts import Remembered
from pixtools.jobs.service import Service
from pixtools.jobs.work import (
    check_format,
    check_memory,
    check_pipeline,
    outputs_of,
    stages_of,
)


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A client's key and what its request looked like."""

    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a client asks for, whatever the way its source takes.

    `webhook_base` is where it reached us: links that it is told of begin so.
    """

    tenant: str = "default"
    face: Face = "v1"
    pipeline: Pipeline
    preset: str | None = None
    archive: bool = True
    webhook_url: str | None = None
    webhook_base: str = ""
    client_metadata: dict[str, Any] = field(default_factory=dict)
    batch_id: str | None = None
    retry_of: str | None = None
    request_id: str | None = None
    traceparent: str | None = None
    idempotency: IdempotencyKey | None = None


@dataclass(frozen=True, slots=True)
class Submitted:
    """The job that answers an order, perhaps one that an equal order made before."""

    job: Job
    replayed: bool = False
    upload: SignedUpload | None = None


def job_of(service: Service, order: Order, source: Source, job_id: str) -> Job:
    """The job that an order makes; raises InvalidPipeline."""
    check_pipeline(service, order.tenant, order.pipeline)
    if source.format:
        check_format(service, order.pipeline, source.format)
    now = service.clock.now()
    wait = 2 * service.rules.upload_expiry
    ready = bool(source.format or source.url)
    return Job(
        id=job_id,
        tenant=order.tenant,
        face=order.face,
        status="queued" if ready else "created",
        source=source,
        pipeline=order.pipeline.canonical(),
        outputs=outputs_of(order.pipeline, source.format),
        preset=order.preset,
        archive=Archive() if order.archive and order.pipeline.pictures else None,
        batch_id=order.batch_id,
        webhook_url=order.webhook_url,
        webhook=Webhook(base=order.webhook_base) if order.webhook_url else None,
        client_metadata=order.client_metadata,
        retry_of=order.retry_of,
        request_id=order.request_id,
        traceparent=order.traceparent,
        created_at=now,
        queued_at=now if ready else None,
        # An upload may still run when its permission ends; then nobody will start it.
        expires_at=None if ready else now + wait,
    )


def accept(service: Service, order: Order, job: Job) -> Submitted:
    """The one transaction that takes a job on, or finds the first answer.

    Raises ImageTooLargeForMemory, and what else it is refused for.
    """
    check_memory(service, order.pipeline, job.source)
    with change(service) as made:
        first = _first_answer(service, made, order, job)
        if first:
            return Submitted(first, replayed=True)
        check_load(made.tx, service.rules, order.tenant, made.now)
        if order.batch_id is not None:
            join_batch(made, order.tenant, order.batch_id)
        stages = _stages(service, order, job, made.now)
        job = made.add(replace(job, stages_left=len(stages)), ("status", None))
        if stages:
            made.queue(stages)
        return Submitted(job)


@contextmanager
def in_flight(
    service: Service, order: Order, *, held: str | None = None
) -> Iterator[None]:
    """Hold the order's key while it is answered, unless its intake holds it already."""
    key = order.idempotency.key if order.idempotency else None
    with service.flights.during(order.tenant, None if key == held else key):
        yield


def _stages(service: Service, order: Order, job: Job, now: datetime) -> Sequence[Stage]:
    if job.status != "queued":
        return ()
    return stages_of(service, job, now, order.pipeline)


def _first_answer(service: Service, made: Change, order: Order, job: Job) -> Job | None:
    if order.idempotency is None:
        return None
    key, fingerprint = order.idempotency.key, order.idempotency.fingerprint
    status = 202 if job.status == "queued" else 201
    answer = Remembered(fingerprint=fingerprint, job_id=job.id, status=status)
    expires_at = made.now + service.rules.idempotency_ttl
    if made.tx.idempotency.remember(
        order.tenant, key, answer, now=made.now, expires_at=expires_at
    ):
        return None
    first = made.tx.idempotency.recall(order.tenant, key, made.now)
    if first is None or first.fingerprint != fingerprint:
        raise IdempotencyMismatch
    return made.tx.jobs.get(first.job_id)
