"""Batches in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, delete, insert, select, update

from pixtools.domain.job import Batch, Job
from pixtools.persistence import tables
from pixtools.persistence.lines import Line
from pixtools.persistence.mapping import batch_of, batch_row, job_of

BATCHES: Final = tables.batches
_THIS: Final = BATCHES.c.id == bindparam("this")
_ADD: Final = insert(BATCHES)
_GET: Final = select(BATCHES).where(_THIS)
_LOCK: Final = _GET.with_for_update()
_SAVE: Final = update(BATCHES).where(_THIS)
_DELETE: Final = delete(BATCHES).where(_THIS)
_JOBS: Final = (
    select(tables.jobs)
    .where(tables.jobs.c.batch_id == bindparam("this"))
    .order_by(tables.jobs.c.id)
)
_EXPIRED: Final = (
    select(BATCHES)
    .where(BATCHES.c.expires_at <= bindparam("now"))
    .order_by(BATCHES.c.expires_at)
    .limit(bindparam("most"))
)


class SqlBatches:
    """Jobs submitted together."""

    def __init__(self, connection: Line) -> None:
        self._connection = connection

    def add(self, batch: Batch) -> None:
        """Store a new batch."""
        self._connection.execute(_ADD, batch_row(batch))

    def get(self, batch_id: str, *, lock: bool = False) -> Batch | None:
        """The batch, or None."""
        found = self._connection.execute(_LOCK if lock else _GET, {"this": batch_id})
        row = found.first()
        return batch_of(row._asdict()) if row else None

    def save(self, batch: Batch) -> None:
        """Write a batch that was read with `lock` in this transaction."""
        row = batch_row(batch)
        del row["id"]
        self._connection.execute(_SAVE, {"this": batch.id, **row})

    def jobs(self, batch_id: str) -> Sequence[Job]:
        """The batch's jobs, oldest first."""
        rows = self._connection.execute(_JOBS, {"this": batch_id})
        return [job_of(row._asdict()) for row in rows]

    def expired(self, now: datetime, limit: int) -> Sequence[Batch]:
        """Batches whose time has passed, the longest gone first."""
        rows = self._connection.execute(_EXPIRED, {"now": now, "most": limit})
        return [batch_of(row._asdict()) for row in rows]

    def delete(self, batch_id: str) -> None:
        """Forget a batch and its stage; its jobs stay and go on their own."""
        self._connection.execute(_DELETE, {"this": batch_id})
