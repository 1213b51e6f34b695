"""What ended jobs cost, in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Label,
    bindparam,
    cast,
    delete,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from pixtools.domain.usage import DayUsage, Metered
from pixtools.persistence import tables
from pixtools.persistence.lines import Line
from pixtools.persistence.mapping import plain_row

USAGE: Final = tables.usage


def _total(column: Column[int]) -> Label[int]:
    """A sum that is a whole number on every engine; PostgreSQL's own is a decimal."""
    return cast(func.sum(column), BigInteger).label(column.name)


_BY_DAY: Final = (
    select(
        USAGE.c.day,
        func.count().label("jobs"),
        _total(USAGE.c.outputs),
        _total(USAGE.c.pixels_processed),
        _total(USAGE.c.bytes_saved),
        _total(USAGE.c.compute_time_ms),
    )
    .where(
        USAGE.c.tenant == bindparam("of_tenant"),
        USAGE.c.day.between(bindparam("first"), bindparam("last")),
    )
    .group_by(USAGE.c.day)
    .order_by(USAGE.c.day)
)
_OLD: Final = (
    select(USAGE.c.job_id)
    .where(USAGE.c.day < bindparam("before"))
    .limit(bindparam("most"))
)
_FORGET: Final = delete(USAGE).where(USAGE.c.job_id.in_(_OLD))


def _keeping(dialect: Any) -> Any:  # noqa: ANN401 - two dialects' equal words
    insert = dialect.insert(USAGE)
    kept = insert.on_conflict_do_nothing(index_elements=[USAGE.c.job_id])
    return kept.returning(USAGE.c.job_id)


_KEEP: Final = {"sqlite": _keeping(sqlite), "postgresql": _keeping(postgresql)}


class SqlUsages:
    """What ended jobs cost."""

    def __init__(self, connection: Line) -> None:
        self._connection = connection

    def add(self, cost: Metered) -> bool:
        """Keep what a job cost; False, and nothing changes, if that is kept already."""
        keep = _KEEP[self._connection.dialect.name]
        return self._connection.execute(keep, plain_row(cost)).first() is not None

    def by_day(self, tenant: str, first: date, last: date) -> Sequence[DayUsage]:
        """A tenant's days from `first` to `last` on which a job ended, in order."""
        values = {"of_tenant": tenant, "first": first, "last": last}
        rows = self._connection.execute(_BY_DAY, values)
        return [DayUsage(**row._asdict()) for row in rows]

    def forget(self, before: date, limit: int) -> int:
        """Forget the costs of jobs that ended before a day; how many."""
        values = {"before": before, "most": limit}
        return self._connection.execute(_FORGET, values).rowcount
