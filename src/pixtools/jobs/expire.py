"""Letting go: jobs, batches and answers whose time has passed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from pixtools.domain.errors import StorageUnavailable
from pixtools.domain.job import Batch
from pixtools.domain.keys import batch_archive_key
from pixtools.jobs.batch import end_intake, find_batch
from pixtools.jobs.change import change
from pixtools.jobs.erase import delete
from pixtools.jobs.service import Service
from pixtools.jobs.usage import forget_usage

AT_ONCE: Final = 100
MOST_KEPT: Final = 20
"""So many that can't be deleted say that it is the store, and not their files."""


def expire(service: Service) -> int:
    """Delete what has expired, files first; how many jobs and batches went.

    Jobs past their retention, jobs whose upload never came, batches, first answers
    and, a week later, the memory of jobs; a year later what they cost. Batches that
    nobody closed are closed.
    """
    _forget(service)
    kept = _Kept()
    gone = _jobs(service, kept) + _batches(service, kept)
    kept.tell()
    return gone


class _Kept:
    """Jobs and batches whose files can't be deleted now; they hold up no others."""

    def __init__(self) -> None:
        self._faults: dict[str, StorageUnavailable] = {}

    def __len__(self) -> int:
        return len(self._faults)

    def __contains__(self, name: object) -> bool:
        return name in self._faults

    @contextmanager
    def unless_deleted(self, name: str) -> Iterator[None]:
        """Keep this one if its block can't; raises StorageUnavailable of too many."""
        try:
            yield
        except StorageUnavailable as fault:
            self._faults[name] = fault
            if len(self) >= MOST_KEPT:
                self.tell()

    def tell(self) -> None:
        """Raise StorageUnavailable, if there is any."""
        if self._faults:
            name, fault = next(iter(self._faults.items()))
            text = f"{fault.detail} Not deleted: {name} and {len(self) - 1} more."
            raise StorageUnavailable(text) from fault


def _forget(service: Service) -> None:
    """Drop what has no files."""
    now = service.clock.now()
    with service.database.write() as tx:
        tx.idempotency.forget_expired(now)
        tx.history.forget_buried(now - service.rules.burial)
        tx.circuits.forget_old(now - service.rules.webhooks.memory)
        tx.secrets.forget_retired(now)
        tx.sandboxes.forget_expired(now)
    forget_usage(service)


def _jobs(service: Service, kept: _Kept) -> int:
    gone = 0
    while True:
        with service.database.read() as tx:
            known = tx.jobs.expired(service.clock.now(), AT_ONCE + len(kept))
        found = [job for job in known if job.id not in kept]
        for job in found:
            with kept.unless_deleted(job.id):
                delete(service, job, bury=not job.erased)
                gone += 1
        if len(found) < AT_ONCE:
            return gone


def _batches(service: Service, kept: _Kept) -> int:
    with service.database.read() as tx:
        found = tx.batches.expired(service.clock.now(), AT_ONCE)
    gone = 0
    for batch in found:
        if not batch.closed:
            _close(service, batch)
            continue
        with kept.unless_deleted(batch.id):
            _delete(service, batch)
            gone += 1
    return gone


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
