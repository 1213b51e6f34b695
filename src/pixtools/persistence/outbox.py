"""Wake-ups in the database, on their way to the broker."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, delete, func, insert, select

from pixtools.domain.job import Wakeup
from pixtools.persistence import tables
from pixtools.persistence.lines import Line
from pixtools.persistence.mapping import wakeup_of, wakeup_row

WAKEUPS: Final = tables.wakeups
_ADD: Final = insert(WAKEUPS)
_DUE: Final = (
    select(WAKEUPS)
    .where(WAKEUPS.c.due_at <= bindparam("now"))
    .order_by(WAKEUPS.c.due_at, WAKEUPS.c.id)
    .limit(bindparam("most"))
)
_HELD: Final = (
    _DUE.with_only_columns(WAKEUPS.c.id)
    .with_for_update(skip_locked=True)
    # A plain subquery may be run again for each row, and lock others each time.
    .cte("due")
)
_TAKE: Final = (
    delete(WAKEUPS).where(WAKEUPS.c.id.in_(select(_HELD.c.id))).returning(*WAKEUPS.c)
)
_FORGET: Final = delete(WAKEUPS).where(WAKEUPS.c.id == bindparam("this"))
_NEXT: Final = select(func.min(WAKEUPS.c.due_at))


class SqlOutbox:
    """Wake-ups, each taken once."""

    def __init__(self, connection: Line) -> None:
        self._connection = connection

    def add(self, wakeups: Sequence[Wakeup]) -> None:
        """Keep wake-ups until they are taken."""
        if wakeups:
            self._connection.execute(_ADD, [wakeup_row(each) for each in wakeups])

    def due(self, now: datetime, limit: int) -> Sequence[Wakeup]:
        """What `take` would answer; it is kept."""
        rows = self._connection.execute(_DUE, {"now": now, "most": limit})
        return [wakeup_of(row._asdict()) for row in rows]

    def take(self, now: datetime, limit: int) -> Sequence[Wakeup]:
        """Those whose time has come, the longest due first, and forget them."""
        rows = self._connection.execute(_TAKE, {"now": now, "most": limit})
        taken = [wakeup_of(row._asdict()) for row in rows]
        return sorted(taken, key=lambda each: (each.due_at, each.id))

    def forget(self, wakeups: Sequence[Wakeup]) -> None:
        """Keep these no longer."""
        if wakeups:
            self._connection.execute(_FORGET, [{"this": w.id} for w in wakeups])

    def next_due(self) -> datetime | None:
        """When the next one is due; None if there is none."""
        due: datetime | None = self._connection.execute(_NEXT).scalar_one()
        return due
