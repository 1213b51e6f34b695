"""A batch whose request is sent again: what is still here of the first one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pixtools.domain.job import Batch
from pixtools.jobs.orders import IdempotencyKey
from pixtools.jobs.ports.facts import Transaction
from pixtools.jobs.service import Service


@dataclass(frozen=True, slots=True)
class Earlier:
    """A batch that was made before, and the keys of its jobs that are still here."""

    batch: Batch
    keys: frozenset[str]


def earlier(
    service: Service, tenant: str, keys: Sequence[IdempotencyKey]
) -> Earlier | None:
    """What an equal request under these keys, one for each job, has made.

    A job that was erased takes its key along, so the others say which batch it was.
    None if there was no such request, or nothing of it is left.
    """
    now = service.clock.now()
    with service.database.read() as tx:
        found = {
            key.key: answer.job_id
            for key in keys
            if (answer := tx.idempotency.recall(tenant, key.key, now))
            and answer.fingerprint == key.fingerprint
        }
        homes = (_home(tx, job_id) for job_id in found.values())
        batch = next((home for home in homes if home), None)
    return Earlier(batch, frozenset(found)) if batch else None


def _home(tx: Transaction, job_id: str) -> Batch | None:
    job = tx.jobs.get(job_id)
    return tx.batches.get(job.batch_id) if job and job.batch_id else None
