"""Events on their way to clients, and whose turn it is to be told.

A look costs as much as there are hosts that wait, not deliveries: the index is entered
once for each of them and each tenant. Ten thousand events for a host that is away, or a
thousand hosts of one tenant that hang, hold up nobody else.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    CTE,
    Column,
    ColumnElement,
    Executable,
    FromClause,
    Label,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.sql.dml import UpdateBase

from pixtools.domain.webhook import Delivery
from pixtools.persistence.lines import Line
from pixtools.persistence.locks import Locked, hold, try_hold
from pixtools.persistence.mapping import delivery_of, plain_row
from pixtools.persistence.webhook_tables import circuits, deliveries
from pixtools.persistence.words import literally

ROWS: Final = deliveries
PENDING: Final = ROWS.c.state == literally("pending")
_ZERO: Final[ColumnElement[int]] = literal_column("0")
_WAITS: Final = and_(PENDING, ROWS.c.attempt >= _ZERO)
"""To the letter what the index of turns says."""
_HELD: Final = and_(PENDING, ROWS.c.lease_owner.is_not(None))
_DUE: Final = and_(_WAITS, ROWS.c.run_at <= bindparam("now"))

_THIS: Final = ROWS.c.id == bindparam("this")
_ADD: Final = insert(ROWS)
_GET: Final = select(ROWS).where(_THIS)
_LOCK: Final = _GET.with_for_update()
_SAVE: Final = update(ROWS).where(_THIS)
_OF_JOB: Final = (
    select(ROWS).where(ROWS.c.job_id == bindparam("job")).order_by(ROWS.c.id)
)
_LOCK_OF_JOB: Final = _OF_JOB.with_for_update()
_NEXT: Final = (
    select(ROWS.c.run_at)
    .where(PENDING, ROWS.c.spared >= _ZERO)
    .order_by(ROWS.c.run_at)
    .limit(1)
)


def _turns() -> Select[Any]:
    """Every host that waits for each tenant that has room, the longest due first."""
    lines = _lines()
    head = (
        select(ROWS.c.run_at)
        .where(_DUE, ROWS.c.tenant == lines.c.tenant, ROWS.c.host == lines.c.host)
        .order_by(ROWS.c.run_at, ROWS.c.id)
        .limit(1)
        .scalar_subquery()
    )
    heads = (
        select(
            lines.c.tenant,
            lines.c.host,
            head.label("head"),
            circuits.c.host.is_not(None).label("fails"),
        )
        .select_from(lines)
        .outerjoin(circuits, circuits.c.host == lines.c.host)
        .where(lines.c.tenant.not_in(_crowded()), _is_free())
        .cte("heads")
    )
    return select(heads).where(heads.c.head.is_not(None)).order_by(heads.c.head)


def _lines() -> CTE:
    """Each tenant with each of its hosts; a step of the walk is one look at the index.

    A comparison of both columns at once would be one, too, had SQLite no limits there:
    it enters the index by the first column alone.
    """
    tenants = select(_first(ROWS.c.tenant)).cte("tenants", recursive=True)
    following = select(_first(ROWS.c.tenant, ROWS.c.tenant > tenants.c.tenant))
    tenants = tenants.union_all(following.where(tenants.c.tenant.is_not(None)))
    tenant = tenants.c.tenant
    lines = (
        select(tenant, _first(ROWS.c.host, ROWS.c.tenant == tenant))
        .where(tenant.is_not(None))
        .cte("lines", recursive=True)
    )
    same, later = ROWS.c.tenant == lines.c.tenant, ROWS.c.host > lines.c.host
    following = select(lines.c.tenant, _first(ROWS.c.host, same, later))
    return lines.union_all(following.where(lines.c.host.is_not(None)))


def _first(column: Column[str], *which: ColumnElement[bool]) -> Label[str]:
    waiting = select(column).where(_WAITS, *which).order_by(column).limit(1)
    return waiting.scalar_subquery().label(column.name)


def _crowded() -> Select[Any]:
    """Tenants that have all the requests under way that one may have."""
    held = ROWS.alias("held")
    return (
        select(held.c.tenant)
        .where(*_is_held(held))
        .group_by(held.c.tenant)
        .having(func.count() >= bindparam("per_tenant"))
    )


def _is_free() -> ColumnElement[bool]:
    until = circuits.c.open_until
    return or_(until.is_(None), until <= bindparam("now"))


def _is_held(held: FromClause) -> Sequence[ColumnElement[bool]]:
    return (
        held.c.state == literally("pending"),
        held.c.lease_owner.is_not(None),
        held.c.run_at > bindparam("now"),
    )


def _taking() -> UpdateBase:
    pick = (
        select(ROWS.c.id)
        .where(
            _DUE,
            ROWS.c.tenant == bindparam("its_tenant"),
            ROWS.c.host == bindparam("its_host"),
        )
        .order_by(ROWS.c.run_at, ROWS.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    at_host = _under_way(ROWS.c.host.key, "its_host")
    of_tenant = _under_way(ROWS.c.tenant.key, "its_tenant")
    # Looked at again: since our turn was found, others may have failed there.
    itself = circuits.c.host == bindparam("its_host")
    fails, is_left_alone = exists().where(itself), exists().where(itself, ~_is_free())
    most = case((fails, bindparam("per_failing")), else_=bindparam("per_host"))
    room = (at_host < most, of_tenant < bindparam("per_tenant"), ~is_left_alone)
    return (
        update(ROWS)
        .where(ROWS.c.id == pick, *room)
        .values(
            attempt=ROWS.c.attempt + 1,
            lease_owner=bindparam("owner"),
            run_at=bindparam("until", type_=ROWS.c.run_at.type),
        )
        .returning(*ROWS.c)
    )


def _under_way(column: str, whose: str) -> ScalarSelect[int]:
    held = ROWS.alias(f"held_by_{column}")
    counted = select(func.count()).select_from(held).where(*_is_held(held))
    return counted.where(held.c[column] == bindparam(whose)).scalar_subquery()


_TURNS: Final = _turns()
_TAKE: Final = _taking()


class SqlDeliveries:
    """Events on their way to clients."""

    def __init__(self, connection: Line) -> None:
        self._connection = connection

    def add(self, delivery: Delivery) -> None:
        """Keep an event until it is told."""
        self._connection.execute(_ADD, plain_row(delivery))

    def get(self, delivery_id: str, *, lock: bool = False) -> Delivery | None:
        """The delivery, or None."""
        found = self._found(_LOCK if lock else _GET, {"this": delivery_id})
        return found[0] if found else None

    def save(self, delivery: Delivery) -> None:
        """Write a delivery that was read with `lock` in this transaction."""
        row = plain_row(delivery)
        del row["id"]
        self._connection.execute(_SAVE, {"this": delivery.id, **row})

    def of_job(self, job_id: str, *, lock: bool = False) -> Sequence[Delivery]:
        """A job's deliveries, oldest first."""
        return self._found(_LOCK_OF_JOB if lock else _OF_JOB, {"job": job_id})

    def claim(
        self,
        owner: str,
        now: datetime,
        lease: timedelta,
        *,
        per_host: int,
        per_tenant: int,
        steady: bool = False,
    ) -> Delivery | None:
        """Take the one due longest, of a tenant and a host that have room."""
        values = {"owner": owner, "now": now, "until": now + lease}
        values |= {"per_tenant": per_tenant, "per_host": per_host}
        values |= {"per_failing": 0 if steady else 1}
        turns = self._connection.execute(_TURNS, {"now": now, "per_tenant": per_tenant})
        alone: dict[str, bool] = {}
        for tenant, host, _, fails in turns:
            if steady and fails:
                continue
            if tenant not in alone:
                # Waiting with another tenant's lock in hand could be for ever.
                alone[tenant] = self._alone_with_tenant(tenant, waits=not alone)
            if not alone[tenant] or not try_hold(self._connection, Locked.HOSTS, host):
                continue
            mine = {"its_tenant": tenant, "its_host": host}
            if taken := self._found(_TAKE, values | mine):
                return taken[0]
        return None

    def next_due(self) -> datetime | None:
        """When the next one is due; None if there is none."""
        due: datetime | None = self._connection.execute(_NEXT).scalar()
        return due

    def _alone_with_tenant(self, tenant: str, *, waits: bool) -> bool:
        """Whether nobody else takes of this tenant's until this transaction ends."""
        if not waits:
            return try_hold(self._connection, Locked.TENANTS, tenant)
        hold(self._connection, Locked.TENANTS, tenant)
        return True

    def _found(
        self, statement: Executable, values: dict[str, Any]
    ) -> Sequence[Delivery]:
        rows = self._connection.execute(statement, values)
        return [delivery_of(row._asdict()) for row in rows]
