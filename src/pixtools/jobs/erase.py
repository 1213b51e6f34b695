"""Forgetting a job, its files and that it was ever here."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from pixtools.domain.errors import JobNotFound
from pixtools.domain.events import ending
from pixtools.domain.job import Job
from pixtools.domain.keys import prefixes
from pixtools.jobs.advance import skipped
from pixtools.jobs.batch import drop_batch, job_ended
from pixtools.jobs.cancel import cancel
from pixtools.jobs.change import change
from pixtools.jobs.service import Service
from pixtools.jobs.usage import meter


def erase(service: Service, tenant: str, job_id: str) -> None:
    """Stop a job and delete it with all its files; raises JobNotFound, JobExpired.

    From the first transaction on it is as if the job had never been. If this process
    dies before the rows are gone, `jobs.expire` ends the work, or whoever asks once
    more.
    """
    begun = _begun(service, tenant, job_id)
    if begun:
        delete(service, begun)
        return
    job = cancel(service, tenant, job_id)
    with change(service) as made:
        locked = made.tx.jobs.get(job.id, lock=True)
        if locked:
            made.record(replace(locked, expires_at=locked.created_at))
    delete(service, job)


def erase_batch(service: Service, tenant: str, batch_id: str) -> None:
    """Erase an open batch with all jobs that are in it; harmless twice.

    Also one whose commit was never answered: it is waited for by the batch's lock.
    """
    with change(service) as made:
        batch = made.tx.batches.get(batch_id, lock=True)
        if batch is None or batch.tenant != tenant or batch.closed:
            return
        jobs = made.tx.batches.jobs(batch_id)
    for job in jobs:
        with suppress(JobNotFound):
            erase(service, tenant, job.id)
    drop_batch(service, tenant, batch_id)


def delete(service: Service, job: Job, *, bury: bool = False) -> None:
    """Delete a job's files, then its rows, so that a crash leaves no orphan file.

    With `bury` it is remembered for a while that the job has expired.
    """
    for prefix in prefixes(job.id):
        service.blobs.delete(prefix)
    with change(service) as made:
        made.tx.stages.of_job(job.id, lock=True)
        locked = made.tx.jobs.get(job.id, lock=True)
        if locked is None:
            return
        if bury:
            made.tx.history.bury(job.id, job.tenant, made.now)
        if not locked.terminal:
            meter(made, skipped(locked))
            job_ended(service, made, locked)
        made.tx.jobs.delete(job.id)
        made.tell(job.id)
        made.tell(ending(job.id))


def _begun(service: Service, tenant: str, job_id: str) -> Job | None:
    """A job whose erasure was begun, though its rows are still there."""
    with service.database.read() as tx:
        job = tx.jobs.get(job_id)
    return job if job and job.tenant == tenant and job.erased else None
