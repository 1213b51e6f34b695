"""What happened, and what is gone, in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from pixtools.domain.events import Event
from pixtools.persistence.mapping import event_of, event_row
from pixtools.persistence.tables import (
    burials as BURIALS,  # noqa: N812 - a constant
    events as EVENTS,  # noqa: N812 - a constant
)


class SqlHistory:
    """Events of jobs, and the memory of expired ones."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, *events: Event) -> None:
        """Record events."""
        if events:
            rows = [event_row(event) for event in events]
            self._connection.execute(insert(EVENTS), rows)

    def after(self, job_id: str, seq: int) -> Sequence[Event]:
        """Events with a larger `seq`, in order."""
        query = (
            select(EVENTS)
            .where(EVENTS.c.job_id == job_id, EVENTS.c.seq > seq)
            .order_by(EVENTS.c.seq)
        )
        return [event_of(row._asdict()) for row in self._connection.execute(query)]

    def bury(self, job_id: str, tenant: str, now: datetime) -> None:
        """Remember that this job existed and has expired."""
        self._connection.execute(
            insert(BURIALS), {"job_id": job_id, "tenant": tenant, "buried_at": now}
        )

    def buried(self, job_id: str, tenant: str) -> bool:
        """Whether this tenant's job has expired not long ago."""
        query = select(BURIALS.c.job_id).where(
            BURIALS.c.job_id == job_id, BURIALS.c.tenant == tenant
        )
        return self._connection.execute(query).first() is not None

    def forget_buried(self, before: datetime) -> int:
        """Forget what expired before this time; how many."""
        gone = delete(BURIALS).where(BURIALS.c.buried_at < before)
        return self._connection.execute(gone).rowcount
