"""Jobs in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from pixtools.domain.job import Job
from pixtools.jobs.ports.facts import JobQuery
from pixtools.persistence import tables
from pixtools.persistence.mapping import job_of, job_row

JOBS = tables.jobs
_FIXED = frozenset({"id", "tenant", "face", "pipeline", "preset", "created_at"})
"""Columns that never change after the job was stored."""


class SqlJobs:
    """Jobs with their outputs."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, job: Job) -> None:
        """Store a new job."""
        self._connection.execute(insert(JOBS), job_row(job))

    def get(self, job_id: str, *, lock: bool = False) -> Job | None:
        """The job, or None."""
        query = select(JOBS).where(JOBS.c.id == job_id)
        if lock:
            query = query.with_for_update()
        row = self._connection.execute(query).first()
        return job_of(row._asdict()) if row else None

    def save(self, job: Job) -> None:
        """Write a job that was read with `lock` in this transaction."""
        row = job_row(job)
        values = {name: row[name] for name in row if name not in _FIXED}
        self._connection.execute(update(JOBS).where(JOBS.c.id == job.id).values(values))

    def find(self, query: JobQuery) -> Sequence[Job]:
        """Jobs that answer a query, newest first: ids sort by time."""
        wanted = select(JOBS).where(JOBS.c.tenant == query.tenant)
        if query.status:
            wanted = wanted.where(JOBS.c.status == query.status)
        if query.batch_id:
            wanted = wanted.where(JOBS.c.batch_id == query.batch_id)
        if query.cursor:
            wanted = wanted.where(JOBS.c.id < query.cursor)
        wanted = wanted.order_by(JOBS.c.id.desc()).limit(query.limit)
        return [job_of(row._asdict()) for row in self._connection.execute(wanted)]

    def delete(self, job_id: str) -> None:
        """Forget a job; its stages first, in the order in which rows are locked."""
        for table in (tables.stages, tables.events, tables.idempotency):
            self._connection.execute(delete(table).where(table.c.job_id == job_id))
        self._connection.execute(delete(JOBS).where(JOBS.c.id == job_id))

    def expired(self, now: datetime, limit: int) -> Sequence[Job]:
        """Jobs whose time has passed, the longest gone first."""
        query = (
            select(JOBS)
            .where(JOBS.c.expires_at <= now)
            .order_by(JOBS.c.expires_at)
            .limit(limit)
        )
        return [job_of(row._asdict()) for row in self._connection.execute(query)]
