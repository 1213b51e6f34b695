"""Batches in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from pixtools.domain.job import Batch, Job
from pixtools.persistence.mapping import batch_of, batch_row, job_of
from pixtools.persistence.tables import (
    batches as BATCHES,  # noqa: N812 - a constant
    jobs as JOBS,  # noqa: N812 - a constant
)


class SqlBatches:
    """Jobs submitted together."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, batch: Batch) -> None:
        """Store a new batch."""
        self._connection.execute(insert(BATCHES), batch_row(batch))

    def get(self, batch_id: str, *, lock: bool = False) -> Batch | None:
        """The batch, or None."""
        query = select(BATCHES).where(BATCHES.c.id == batch_id)
        if lock:
            query = query.with_for_update()
        row = self._connection.execute(query).first()
        return batch_of(row._asdict()) if row else None

    def save(self, batch: Batch) -> None:
        """Write a batch that was read with `lock` in this transaction."""
        self._connection.execute(
            update(BATCHES).where(BATCHES.c.id == batch.id).values(batch_row(batch))
        )

    def jobs(self, batch_id: str) -> Sequence[Job]:
        """The batch's jobs, oldest first."""
        query = select(JOBS).where(JOBS.c.batch_id == batch_id).order_by(JOBS.c.id)
        return [job_of(row._asdict()) for row in self._connection.execute(query)]

    def expired(self, now: datetime, limit: int) -> Sequence[Batch]:
        """Batches whose time has passed, the longest gone first."""
        query = (
            select(BATCHES)
            .where(BATCHES.c.expires_at <= now)
            .order_by(BATCHES.c.expires_at)
            .limit(limit)
        )
        return [batch_of(row._asdict()) for row in self._connection.execute(query)]

    def delete(self, batch_id: str) -> None:
        """Forget a batch and its stage; its jobs stay and go on their own."""
        self._connection.execute(delete(BATCHES).where(BATCHES.c.id == batch_id))
