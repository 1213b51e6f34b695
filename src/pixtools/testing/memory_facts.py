"""The in-memory twins of Jobs, Idempotency, Batches and History."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import TypeVar

from pixtools.domain.events import Event
from pixtools.domain.identity import ApiKey
from pixtools.domain.job import Batch, Job, Stage, Wakeup
from pixtools.domain.usage import Metered
from pixtools.domain.webhook import (
    Attempt,
    Circuit,
    Delivery,
    Receipt,
    Sandbox,
    SigningSecret,
)
from pixtools.jobs.ports.facts import JobQuery, Remembered

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@dataclass(slots=True)
class State:
    """Everything there is, by id."""

    jobs: dict[str, Job] = field(default_factory=dict)
    stages: dict[str, Stage] = field(default_factory=dict)
    wakeups: dict[str, Wakeup] = field(default_factory=dict)
    batches: dict[str, Batch] = field(default_factory=dict)
    answers: dict[tuple[str, str], tuple[Remembered, datetime]] = field(
        default_factory=dict
    )
    events: dict[tuple[str, int], Event] = field(default_factory=dict)
    burials: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    keys: dict[str, ApiKey] = field(default_factory=dict)
    costs: dict[str, Metered] = field(default_factory=dict)
    deliveries: dict[str, Delivery] = field(default_factory=dict)
    attempts: dict[tuple[str, int], Attempt] = field(default_factory=dict)
    circuits: dict[str, Circuit] = field(default_factory=dict)
    secrets: dict[str, SigningSecret] = field(default_factory=dict)
    sandboxes: dict[str, Sandbox] = field(default_factory=dict)
    receipts: dict[tuple[str, int], Receipt] = field(default_factory=dict)

    def part(self) -> None:
        """Have dictionaries of one's own."""
        for each in fields(self):
            setattr(self, each.name, dict(getattr(self, each.name)))


class MemoryJobs:
    """Jobs with their outputs."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, job: Job) -> None:
        """Store a new job."""
        _require(job.id not in self._state.jobs, "a job is added once")
        self.save(job)

    def get(self, job_id: str, *, lock: bool = False) -> Job | None:
        """The job, or None; a write has all to itself anyway."""
        del lock
        return self._state.jobs.get(job_id)

    def save(self, job: Job) -> None:
        """Write a job."""
        _require(job.stages_left >= 0, "stages_left is never negative")
        _require(
            job.batch_id is None or job.batch_id in self._state.batches,
            "a job's batch exists",
        )
        self._state.jobs[job.id] = job

    def find(self, query: JobQuery) -> Sequence[Job]:
        """Jobs that answer a query, newest first."""
        found = [
            job
            for job in self._state.jobs.values()
            if job.tenant == query.tenant
            and query.status in {None, job.status}
            and query.batch_id in {None, job.batch_id}
            and (query.cursor is None or job.id < query.cursor)
        ]
        return sorted(found, key=lambda job: job.id, reverse=True)[: query.limit]

    def delete(self, job_id: str) -> None:
        """Forget a job, its outputs, stages, events and first answers."""
        state = self._state
        state.jobs.pop(job_id, None)
        _drop(state.stages, lambda stage: stage.job_id == job_id)
        _drop(state.events, lambda event: event.job_id == job_id)
        _drop(state.answers, lambda kept: kept[0].job_id == job_id)
        _drop(state.deliveries, lambda delivery: delivery.job_id == job_id)
        _drop(state.attempts, lambda each: each.delivery_id not in state.deliveries)

    def expired(self, now: datetime, limit: int) -> Sequence[Job]:
        """Jobs whose time has passed, the longest gone first."""
        gone = [
            (job.expires_at, job)
            for job in self._state.jobs.values()
            if job.expires_at is not None and job.expires_at <= now
        ]
        return [job for _, job in sorted(gone, key=lambda pair: pair[0])[:limit]]


class MemoryIdempotency:
    """First answers, by tenant and key."""

    def __init__(self, state: State) -> None:
        self._state = state

    def remember(
        self,
        tenant: str,
        key: str,
        answer: Remembered,
        *,
        now: datetime,
        expires_at: datetime,
    ) -> bool:
        """Keep an answer in the place of none or of one that has expired."""
        if self.recall(tenant, key, now):
            return False
        self._state.answers[tenant, key] = (answer, expires_at)
        return True

    def recall(self, tenant: str, key: str, now: datetime) -> Remembered | None:
        """The answer that is kept and has not expired, or None."""
        answer, until = self._state.answers.get((tenant, key), (None, now))
        return answer if until > now else None

    def forget_expired(self, now: datetime) -> int:
        """Drop answers that have expired; how many."""
        return _drop(self._state.answers, lambda kept: kept[1] <= now)


class MemoryBatches:
    """Jobs submitted together."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, batch: Batch) -> None:
        """Store a new batch."""
        _require(batch.id not in self._state.batches, "a batch is added once")
        self.save(batch)

    def get(self, batch_id: str, *, lock: bool = False) -> Batch | None:
        """The batch, or None."""
        del lock
        return self._state.batches.get(batch_id)

    def save(self, batch: Batch) -> None:
        """Write a batch."""
        _require(0 <= batch.jobs_left <= batch.jobs_total, "jobs are counted")
        self._state.batches[batch.id] = batch

    def jobs(self, batch_id: str) -> Sequence[Job]:
        """The batch's jobs, oldest first."""
        mine = [job for job in self._state.jobs.values() if job.batch_id == batch_id]
        return sorted(mine, key=lambda job: job.id)

    def expired(self, now: datetime, limit: int) -> Sequence[Batch]:
        """Batches whose time has passed, the longest gone first."""
        gone = [
            (batch.expires_at, batch)
            for batch in self._state.batches.values()
            if batch.expires_at is not None and batch.expires_at <= now
        ]
        return [batch for _, batch in sorted(gone, key=lambda pair: pair[0])[:limit]]

    def delete(self, batch_id: str) -> None:
        """Forget a batch and its stage; its jobs stay."""
        state = self._state
        state.batches.pop(batch_id, None)
        _drop(state.stages, lambda stage: stage.batch_id == batch_id)
        for job in self.jobs(batch_id):
            state.jobs[job.id] = replace(job, batch_id=None)


class MemoryHistory:
    """What happened, and what is gone."""

    def __init__(self, state: State) -> None:
        self._state = state

    def append(self, *events: Event) -> None:
        """Record events."""
        for event in events:
            key = (event.job_id, event.seq)
            _require(key not in self._state.events, "a seq is used once")
            _require(event.job_id in self._state.jobs, "an event's job exists")
            self._state.events[key] = event

    def after(self, job_id: str, seq: int) -> Sequence[Event]:
        """Events with a larger `seq`, in order."""
        mine = [
            event
            for event in self._state.events.values()
            if event.job_id == job_id and event.seq > seq
        ]
        return sorted(mine, key=lambda event: event.seq)

    def bury(self, job_id: str, tenant: str, now: datetime) -> None:
        """Remember that this job existed and has expired."""
        self._state.burials[job_id] = (tenant, now)

    def buried(self, job_id: str, tenant: str) -> bool:
        """Whether this tenant's job has expired not long ago."""
        return self._state.burials.get(job_id, ("", None))[0] == tenant

    def forget_buried(self, before: datetime) -> int:
        """Forget what expired before this time; how many."""
        return _drop(self._state.burials, lambda burial: burial[1] < before)


def _drop(rows: dict[Key, Value], gone: Callable[[Value], bool]) -> int:
    keys = [key for key, value in rows.items() if gone(value)]
    for key in keys:
        del rows[key]
    return len(keys)


def _require(holds: bool, promise: str) -> None:
    """What the schema's constraints would refuse."""
    if not holds:
        raise ValueError(f"Broken: {promise}.")
