"""Looking at jobs and batches; nothing here changes anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pixtools.domain.document import BatchDocument, JobDocument
from pixtools.domain.errors import (
    BatchNotFound,
    InvalidRequest,
    JobExpired,
    JobNotFound,
)
from pixtools.domain.events import Event
from pixtools.domain.ids import is_id
from pixtools.domain.job import Batch, Job
from pixtools.jobs.documents import described, described_batch
from pixtools.jobs.ports.facts import JobQuery, Transaction
from pixtools.jobs.service import Service

MOST_LISTED = 100


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a list; `next_cursor` leads on, or is None at the end."""

    jobs: Sequence[Job]
    next_cursor: str | None = None


def get_job(service: Service, tenant: str, job_id: str) -> Job:
    """A tenant's job; raises JobNotFound, or JobExpired for a week after its end."""
    if not is_id(job_id):
        raise _not_found(job_id)
    now = service.clock.now()
    with service.database.read() as tx:
        job = tx.jobs.get(job_id)
        if job is None or job.tenant != tenant or job.erased:
            raise _gone(tx, tenant, job_id)
        if job.expires_at is not None and job.expires_at <= now:
            raise JobExpired
        return job


def list_jobs(service: Service, query: JobQuery) -> Page:
    """A tenant's jobs, newest first; raises InvalidRequest for a wrong cursor."""
    if query.cursor is not None and not is_id(query.cursor):
        raise InvalidRequest("Expected the cursor that a list answered.")
    if query.batch_id and not is_id(query.batch_id):
        return Page(())
    limit = max(1, min(query.limit, MOST_LISTED))
    now = service.clock.now()
    with service.database.read() as tx:
        found = tx.jobs.find(replace(query, limit=limit + 1))
    more = found[limit - 1].id if len(found) > limit else None
    alive = [
        job for job in found[:limit] if not (job.expires_at and job.expires_at <= now)
    ]
    return Page(alive, more)


def document(service: Service, job: Job) -> JobDocument:
    """All that clients may read of a job; links are signed anew."""
    position = None
    if job.status == "queued":
        with service.database.read() as tx:
            position = tx.queues.position(job)
    return described(service.links, job, position)


def events_after(
    service: Service, tenant: str, job_id: str, seq: int
) -> Sequence[Event]:
    """What happened to a tenant's job after the event `seq`; raises JobNotFound."""
    get_job(service, tenant, job_id)
    with service.database.read() as tx:
        return tx.history.after(job_id, seq)


def get_batch(
    service: Service, tenant: str, batch_id: str
) -> tuple[Batch, Sequence[Job]]:
    """A tenant's batch with its jobs, oldest first; raises BatchNotFound."""
    with service.database.read() as tx:
        batch = tx.batches.get(batch_id) if is_id(batch_id) else None
        if batch is None or batch.tenant != tenant:
            raise BatchNotFound(f"There is no batch {batch_id}.")
        return batch, tx.batches.jobs(batch_id)


def batch_document(
    service: Service, batch: Batch, jobs: Sequence[Job]
) -> BatchDocument:
    """All that clients may read of a batch; links are signed anew."""
    return described_batch(service.links, batch, jobs)


def _gone(tx: Transaction, tenant: str, job_id: str) -> JobNotFound | JobExpired:
    return JobExpired() if tx.history.buried(job_id, tenant) else _not_found(job_id)


def _not_found(job_id: str) -> JobNotFound:
    return JobNotFound(f"There is no job {job_id}.")
