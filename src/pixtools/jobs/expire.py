"""Letting go: jobs, batches and answers whose time has passed."""

from __future__ import annotations

from typing import Final

from pixtools.domain.job import Batch
from pixtools.domain.keys import batch_archive_key
from pixtools.jobs.batch import end_intake, find_batch
from pixtools.jobs.change import change
from pixtools.jobs.erase import delete
from pixtools.jobs.service import Service
from pixtools.jobs.usage import forget_usage

AT_ONCE: Final = 100


def expire(service: Service) -> int:
    """Delete what has expired, files first; how many jobs and batches went.

    Jobs past their retention, jobs whose upload never came, batches, first answers
    and, a week later, the memory of jobs; a year later what they cost. Batches that
    nobody closed are closed.
    """
    gone = _jobs(service) + _batches(service)
    now = service.clock.now()
    with service.database.write() as tx:
        tx.idempotency.forget_expired(now)
        tx.history.forget_buried(now - service.rules.burial)
        tx.circuits.forget_old(now - service.rules.webhooks.memory)
        tx.secrets.forget_retired(now)
        tx.sandboxes.forget_expired(now)
    forget_usage(service)
    return gone


def _jobs(service: Service) -> int:
    gone = 0
    while True:
        with service.database.read() as tx:
            found = tx.jobs.expired(service.clock.now(), AT_ONCE)
        for job in found:
            delete(service, job, bury=not job.erased)
        gone += len(found)
        if len(found) < AT_ONCE:
            return gone


def _batches(service: Service) -> int:
    with service.database.read() as tx:
        found = tx.batches.expired(service.clock.now(), AT_ONCE)
    for batch in found:
        if batch.closed:
            _delete(service, batch)
        else:
            _close(service, batch)
    return sum(batch.closed for batch in found)


def _close(service: Service, batch: Batch) -> None:
    with change(service) as made:
        locked = find_batch(made, batch.tenant, batch.id)
        if not locked.closed:
            end_intake(service, made, locked)


def _delete(service: Service, batch: Batch) -> None:
    service.blobs.delete(batch_archive_key(batch.id))
    with change(service) as made:
        made.tx.batches.delete(batch.id)
        made.tell(batch.id)
