"""A look into the database, past the service: what is there, whatever it tells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

UNSETTLED = (
    "SELECT id FROM jobs WHERE status <> 'created' AND (finished_at IS NULL"
    " OR archive ->> 'status' IN ('pending', 'processing'))"
)
UNTIDY = {
    "stage": "SELECT id, kind, status, lease_owner FROM stages"
    " WHERE lease_owner IS NOT NULL OR status IN ('queued', 'running')",
    "wake-up": "SELECT id, lane, stage_id FROM wakeups",
    "unpaid job": "SELECT jobs.id, status FROM jobs LEFT JOIN usage AS cost ON job_id = jobs.id"
    " WHERE finished_at IS NOT NULL AND started_at IS NOT NULL AND (job_id IS NULL"
    " OR jobs.usage <> to_jsonb(cost) - '{job_id,tenant,day,outputs}'::text[])",
}
"""What must be empty when all work is done."""


@dataclass(frozen=True, slots=True)
class StageRow:
    """One stage, as it stands."""

    job_id: str
    kind: str
    status: str
    attempt: int
    step_ids: tuple[str, ...]


@dataclass(slots=True)
class Facts:
    """The database of a cluster; each question has a connection of its own."""

    url: str
    _engine: Engine = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is opened yet."""
        self._engine = create_engine(self.url, poolclass=NullPool)

    def unsettled(self) -> set[str] | None:
        """Jobs that were queued and have not ended; None while nobody answers."""
        try:
            with self._open() as connection:
                return set(connection.execute(text(UNSETTLED)).scalars())
        except OperationalError:
            return None

    def untidy(self) -> list[str]:
        """Stages that have not ended, leases, wake-ups, jobs that were not metered."""
        with self._open() as connection:
            return [
                f"{what} {tuple(row)}"
                for what, sql in UNTIDY.items()
                for row in connection.execute(text(sql))
            ]

    def events(self, job_ids: Iterable[str]) -> Mapping[str, list[tuple[str, str]]]:
        """Kind and subject of what happened to each job, in order."""
        sql = "SELECT job_id, kind, subject FROM events ORDER BY job_id, seq"
        found: dict[str, list[tuple[str, str]]] = defaultdict(list)
        wanted = set(job_ids)
        for job_id, kind, subject in self._all(sql):
            if job_id in wanted:
                found[job_id].append((kind, subject or ""))
        return found

    def stages(self, job_ids: Iterable[str]) -> Mapping[str, list[StageRow]]:
        """The stages of each job."""
        sql = "SELECT job_id, kind, status, attempt, step_ids FROM stages"
        found: dict[str, list[StageRow]] = defaultdict(list)
        wanted = set(job_ids)
        for job_id, kind, status, attempt, step_ids in self._all(sql):
            if job_id in wanted:
                row = StageRow(job_id, kind, status, attempt, tuple(step_ids))
                found[job_id].append(row)
        return found

    def wakeups(self) -> int:
        """Wake-ups that nobody has posted yet."""
        return len(self._all("SELECT id FROM wakeups"))

    def everything_of(self, job_id: str) -> Sequence[Any]:
        """All rows of a job: itself, its stages and its events."""
        found: list[Any] = []
        for table, column in (
            ("jobs", "id"),
            ("stages", "job_id"),
            ("events", "job_id"),
        ):
            sql = f"SELECT * FROM {table} WHERE {column} = '{job_id}' ORDER BY 1, 2"
            found += [table, *map(tuple, self._all(sql))]
        return found

    def jobs(self) -> set[str]:
        """Every job that has a row."""
        return {job_id for (job_id,) in self._all("SELECT id FROM jobs")}

    def batches(self) -> set[str]:
        """Every batch that has a row."""
        return {batch_id for (batch_id,) in self._all("SELECT id FROM batches")}

    def keys(self) -> Mapping[str, str]:
        """The job (or the first of a batch) that each Idempotency-Key made."""
        return dict(self._all("SELECT key, job_id FROM idempotency"))

    def _all(self, sql: str) -> Sequence[Any]:
        with self._open() as connection:
            return connection.execute(text(sql)).all()

    def _open(self) -> AbstractContextManager[Connection]:
        return closing(self._engine.connect())
