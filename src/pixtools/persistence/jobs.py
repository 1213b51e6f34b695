"""Jobs in the database.

Statements are built once: SQLAlchemy then finds their compiled text by identity,
which is most of what a statement on a local database costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import Executable, Select, bindparam, delete, insert, select, update

from pixtools.domain.job import Job
from pixtools.jobs.ports.facts import JobQuery
from pixtools.persistence import tables
from pixtools.persistence.lines import Line
from pixtools.persistence.mapping import job_of, job_row

JOBS: Final = tables.jobs
_FIXED: Final = frozenset({"id", "tenant", "face", "pipeline", "preset", "created_at"})
"""Columns that never change after the job was stored."""

_THIS: Final = JOBS.c.id == bindparam("this")
_ADD: Final = insert(JOBS)
_GET: Final = select(JOBS).where(_THIS)
_LOCK: Final = _GET.with_for_update()
_SAVE: Final = update(JOBS).where(_THIS)
_EXPIRED: Final = (
    select(JOBS)
    .where(JOBS.c.expires_at <= bindparam("now"))
    .order_by(JOBS.c.expires_at)
    .limit(bindparam("most"))
)
_FORGET: Final = (
    # In the order in which rows are locked.
    *(
        delete(table).where(table.c.job_id == bindparam("this"))
        for table in (
            tables.stages,
            tables.events,
            tables.idempotency,
            tables.deliveries,
        )
    ),
    delete(JOBS).where(_THIS),
)
_WANTED: Final = {
    "its_status": JOBS.c.status == bindparam("its_status"),
    "its_batch_id": JOBS.c.batch_id == bindparam("its_batch_id"),
    "its_cursor": JOBS.c.id < bindparam("its_cursor"),
}


@cache
def _finding(names: frozenset[str]) -> Select[Any]:
    """The statement for a query with these values; there are eight."""
    wanted = [each for name, each in _WANTED.items() if name in names]
    mine = select(JOBS).where(JOBS.c.tenant == bindparam("its_tenant"), *wanted)
    return mine.order_by(JOBS.c.id.desc()).limit(bindparam("most"))


class SqlJobs:
    """Jobs with their outputs."""

    def __init__(self, connection: Line) -> None:
        self._connection = connection

    def add(self, job: Job) -> None:
        """Store a new job."""
        self._connection.execute(_ADD, job_row(job))

    def get(self, job_id: str, *, lock: bool = False) -> Job | None:
        """The job, or None."""
        found = self._connection.execute(_LOCK if lock else _GET, {"this": job_id})
        row = found.first()
        return job_of(row._asdict()) if row else None

    def save(self, job: Job) -> None:
        """Write a job that was read with `lock` in this transaction."""
        row = job_row(job)
        values = {name: row[name] for name in row if name not in _FIXED}
        self._connection.execute(_SAVE, {"this": job.id, **values})

    def find(self, query: JobQuery) -> Sequence[Job]:
        """Jobs that answer a query, newest first: ids sort by time."""
        values: dict[str, Any] = {"its_tenant": query.tenant, "most": query.limit}
        for name in ("status", "batch_id", "cursor"):
            if given := getattr(query, name):
                values[f"its_{name}"] = given
        return self._found(_finding(frozenset(values)), values)

    def delete(self, job_id: str) -> None:
        """Forget a job, its outputs, stages, events and first answers."""
        for statement in _FORGET:
            self._connection.execute(statement, {"this": job_id})

    def expired(self, now: datetime, limit: int) -> Sequence[Job]:
        """Jobs whose time has passed, the longest gone first."""
        return self._found(_EXPIRED, {"now": now, "most": limit})

    def _found(self, query: Executable, values: dict[str, Any]) -> Sequence[Job]:
        rows = self._connection.execute(query, values)
        return [job_of(row._asdict()) for row in rows]
