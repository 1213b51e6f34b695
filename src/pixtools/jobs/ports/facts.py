"""Facts at rest: jobs, batches, answers, history, usage; what waits is in `waiting`.

The verbs own their ports; adapters obey them. Every port has at most six methods,
an in-memory twin in `pixtools.testing` and one suite that each adapter passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from pixtools.domain.events import Event
from pixtools.domain.job import Batch, Job, JobStatus
from pixtools.domain.usage import DayUsage, Metered
from pixtools.jobs.ports.access import Keys
from pixtools.jobs.ports.waiting import Outbox, Queues, Stages
from pixtools.jobs.ports.webhooks import (
    Attempts,
    Circuits,
    Deliveries,
    Sandboxes,
    Secrets,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobQuery:
    """Which of a tenant's jobs to list, newest first, after `cursor` (a job id)."""

    tenant: str
    status: JobStatus | None = None
    batch_id: str | None = None
    limit: int = 20
    cursor: str | None = None


class Jobs(Protocol):
    """Jobs with their outputs."""

    def add(self, job: Job) -> None:
        """Store a new job."""
        ...

    def get(self, job_id: str, *, lock: bool = False) -> Job | None:
        """The job, or None; `lock` keeps others from changing it until commit."""
        ...

    def save(self, job: Job) -> None:
        """Write a job that was read with `lock` in this transaction."""
        ...

    def find(self, query: JobQuery) -> Sequence[Job]:
        """Jobs that answer a query, newest first, at most `limit`."""
        ...

    def delete(self, job_id: str) -> None:
        """Forget a job, its outputs, stages, events and first answers."""
        ...

    def expired(self, now: datetime, limit: int) -> Sequence[Job]:
        """Jobs whose `expires_at` has passed, the longest gone first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """The first answer to an idempotent request."""

    fingerprint: str
    job_id: str
    status: int


class Idempotency(Protocol):
    """First answers, by tenant and key."""

    def remember(
        self,
        tenant: str,
        key: str,
        answer: Remembered,
        *,
        now: datetime,
        expires_at: datetime,
    ) -> bool:
        """Keep an answer; False if this key already has one that has not expired."""
        ...

    def recall(self, tenant: str, key: str, now: datetime) -> Remembered | None:
        """The answer that is kept and has not expired, or None."""
        ...

    def forget_expired(self, now: datetime) -> int:
        """Drop answers that have expired; how many."""
        ...


class Batches(Protocol):
    """Jobs submitted together."""

    def add(self, batch: Batch) -> None:
        """Store a new batch."""
        ...

    def get(self, batch_id: str, *, lock: bool = False) -> Batch | None:
        """The batch, or None."""
        ...

    def save(self, batch: Batch) -> None:
        """Write a batch that was read with `lock` in this transaction."""
        ...

    def jobs(self, batch_id: str) -> Sequence[Job]:
        """The batch's jobs, oldest first."""
        ...

    def expired(self, now: datetime, limit: int) -> Sequence[Batch]:
        """Batches whose `expires_at` has passed, the longest gone first."""
        ...

    def delete(self, batch_id: str) -> None:
        """Forget a batch (its jobs go on their own)."""
        ...


class History(Protocol):
    """What happened, and what is gone."""

    def append(self, *events: Event) -> None:
        """Record events."""
        ...

    def after(self, job_id: str, seq: int) -> Sequence[Event]:
        """Events with a larger `seq`, in order."""
        ...

    def bury(self, job_id: str, tenant: str, now: datetime) -> None:
        """Remember that this job existed and has expired."""
        ...

    def buried(self, job_id: str, tenant: str) -> bool:
        """Whether this tenant's job has expired not long ago."""
        ...

    def forget_buried(self, before: datetime) -> int:
        """Forget what expired before this time; how many."""
        ...


class Usages(Protocol):
    """What ended jobs cost; kept longer than the jobs."""

    def add(self, cost: Metered) -> bool:
        """Keep what a job cost; False, and nothing changes, if that is kept already."""
        ...

    def by_day(self, tenant: str, first: date, last: date) -> Sequence[DayUsage]:
        """A tenant's days from `first` to `last` on which a job ended, in order."""
        ...

    def forget(self, before: date, limit: int) -> int:
        """Forget the costs of jobs that ended before a day; how many."""
        ...


class Transaction(Protocol):
    """One database transaction: leaving the block commits, an exception undoes."""

    @property
    def jobs(self) -> Jobs: ...

    @property
    def stages(self) -> Stages: ...

    @property
    def queues(self) -> Queues: ...

    @property
    def outbox(self) -> Outbox: ...

    @property
    def idempotency(self) -> Idempotency: ...

    @property
    def batches(self) -> Batches: ...

    @property
    def history(self) -> History: ...

    @property
    def keys(self) -> Keys: ...

    @property
    def usage(self) -> Usages: ...

    @property
    def deliveries(self) -> Deliveries: ...

    @property
    def attempts(self) -> Attempts: ...

    @property
    def circuits(self) -> Circuits: ...

    @property
    def secrets(self) -> Secrets: ...

    @property
    def sandboxes(self) -> Sandboxes: ...


class Database(Protocol):
    """Where facts rest."""

    @property
    def one_writer(self) -> bool:
        """Whether a write keeps every other one waiting (SQLite)."""
        ...

    def write(self) -> AbstractContextManager[Transaction]:
        """A transaction that may change things (serialised where SQLite is used)."""
        ...

    def read(self) -> AbstractContextManager[Transaction]:
        """A consistent view that changes nothing."""
        ...

    def check(self) -> None:
        """Raise DatabaseUnavailable if it does not answer or lacks migrations."""
        ...

    def close(self) -> None:
        """Let go of all connections."""
        ...
