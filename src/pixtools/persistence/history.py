"""What happened, and what is gone, in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, delete, insert, select

from pixtools.domain.events import Event
from pixtools.persistence import tables
from pixtools.persistence.lines import Line
from pixtools.persistence.mapping import event_of, event_row

EVENTS: Final = tables.events
BURIALS: Final = tables.burials
_APPEND: Final = insert(EVENTS)
_AFTER: Final = (
    select(EVENTS)
    .where(EVENTS.c.job_id == bindparam("job"), EVENTS.c.seq > bindparam("last"))
    .order_by(EVENTS.c.seq)
)
_BURY: Final = insert(BURIALS)
_BURIED: Final = select(BURIALS.c.job_id).where(
    BURIALS.c.job_id == bindparam("job"), BURIALS.c.tenant == bindparam("of_tenant")
)
_FORGET: Final = delete(BURIALS).where(BURIALS.c.buried_at < bindparam("before"))


class SqlHistory:
    """Events of jobs, and the memory of expired ones."""

    def __init__(self, connection: Line) -> None:
        self._connection = connection

    def append(self, *events: Event) -> None:
        """Record events."""
        if events:
            self._connection.execute(_APPEND, [event_row(event) for event in events])

    def after(self, job_id: str, seq: int) -> Sequence[Event]:
        """Events with a larger `seq`, in order."""
        rows = self._connection.execute(_AFTER, {"job": job_id, "last": seq})
        return [event_of(row._asdict()) for row in rows]

    def bury(self, job_id: str, tenant: str, now: datetime) -> None:
        """Remember that this job existed and has expired."""
        row = {"job_id": job_id, "tenant": tenant, "buried_at": now}
        self._connection.execute(_BURY, row)

    def buried(self, job_id: str, tenant: str) -> bool:
        """Whether this tenant's job has expired not long ago."""
        values = {"job": job_id, "of_tenant": tenant}
        return self._connection.execute(_BURIED, values).first() is not None

    def forget_buried(self, before: datetime) -> int:
        """Forget what expired before this time; how many."""
        return self._connection.execute(_FORGET, {"before": before}).rowcount
