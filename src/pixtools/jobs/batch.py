"""Jobs submitted together: one count, one ZIP."""

from __future__ import annotations

from dataclasses import replace

from pixtools.domain.errors import BatchNotFound, JobConflict
from pixtools.domain.job import Archive, Batch, Job
from pixtools.jobs.change import Change, change
from pixtools.jobs.service import Service
from pixtools.jobs.work import archive_stage


def open_batch(service: Service, tenant: str, *, archive: bool = True) -> Batch:
    """Begin a batch; jobs join it through `Order.batch_id` until it is closed."""
    with change(service) as made:
        batch = Batch(
            id=service.ids.new(),
            tenant=tenant,
            archive=Archive() if archive else None,
            closed=False,
            created_at=made.now,
            # Until it is closed: a batch that nobody closes is closed then.
            expires_at=made.now + service.rules.retention,
        )
        made.tx.batches.add(batch)
        return batch


def close_batch(service: Service, tenant: str, batch_id: str) -> Batch:
    """Let no more jobs join; idempotent. The ZIP follows when all jobs have ended.

    Raises BatchNotFound.
    """
    with change(service) as made:
        batch = find_batch(made, tenant, batch_id)
        return batch if batch.closed else end_intake(service, made, batch)


def drop_batch(service: Service, tenant: str, batch_id: str) -> None:
    """Forget an open batch that holds no job, or none any more; harmless twice."""
    with change(service) as made:
        # Locked, because a job whose commit was not answered may be joining still.
        batch = made.tx.batches.get(batch_id, lock=True)
        if batch is None or batch.tenant != tenant or batch.closed:
            return
        if not made.tx.batches.jobs(batch_id):
            made.tx.batches.delete(batch_id)
            made.tell(batch_id)


def end_intake(service: Service, made: Change, batch: Batch) -> Batch:
    """Close an open batch within a transaction."""
    closed = replace(batch, closed=True, expires_at=None)
    return _save(made, _ended(service, made, closed) or closed)


def join_batch(made: Change, tenant: str, batch_id: str) -> None:
    """Count a new job in; raises BatchNotFound, or JobConflict if it is closed."""
    batch = find_batch(made, tenant, batch_id)
    if batch.closed:
        raise JobConflict(f"Batch {batch_id} is closed: no more jobs can join it.")
    total, left = batch.jobs_total + 1, batch.jobs_left + 1
    _save(made, replace(batch, jobs_total=total, jobs_left=left))


def job_ended(service: Service, made: Change, job: Job) -> None:
    """Count a job of a batch as ended; the last one ends the batch."""
    batch = made.tx.batches.get(job.batch_id, lock=True) if job.batch_id else None
    if batch is None:
        return
    counted = replace(batch, jobs_left=batch.jobs_left - 1)
    _save(made, _ended(service, made, counted) or counted)


def find_batch(made: Change, tenant: str, batch_id: str) -> Batch:
    """A tenant's batch, locked; raises BatchNotFound."""
    batch = made.tx.batches.get(batch_id, lock=True)
    if batch is None or batch.tenant != tenant:
        raise BatchNotFound(f"There is no batch {batch_id}.")
    return batch


def _ended(service: Service, made: Change, batch: Batch) -> Batch | None:
    """The batch as it ends, if it does: closed, and no job left to wait for."""
    if not batch.closed or batch.jobs_left:
        return None
    archive = batch.archive
    if archive and batch.jobs_total:
        made.queue([archive_stage(service, batch, made.now)])
    elif archive:
        archive = replace(archive, status="skipped")
    expires_at = made.now + service.rules.retention
    return replace(batch, archive=archive, finished_at=made.now, expires_at=expires_at)


def _save(made: Change, batch: Batch) -> Batch:
    saved = replace(batch, version=batch.version + 1)
    made.tx.batches.save(saved)
    made.tell(batch.id)
    return saved
