"""Whose turn it is: the tenants that wait in a lane, the next one first.

A look costs as much as there are tenants, not stages: the index is entered once for
each of them, at its first stage. Every step names the order of that index and stops
at one row, so that PostgreSQL finds the same way whatever it thinks that the queue
holds; its statistics are of another hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    CTE,
    ColumnElement,
    ScalarSelect,
    and_,
    bindparam,
    func,
    select,
)

from pixtools.domain.job import Lane
from pixtools.persistence import tables
from pixtools.persistence.lines import Line
from pixtools.persistence.words import literally

STAGES: Final = tables.stages
QUEUED: Final = STAGES.c.status == literally("queued")
_CLAIMABLE: Final = and_(QUEUED, STAGES.c.attempt < STAGES.c.max_attempts)
"""To the letter what the index of turns says, and what no other one does."""
RUNNING: Final = STAGES.c.status == literally("running")
OF_LANE: Final = STAGES.c.lane == bindparam("its_lane")
LIGHT: Final = STAGES.c.cost_ms < bindparam("cheaper_than")
READY: Final = and_(_CLAIMABLE, OF_LANE, STAGES.c.run_at <= bindparam("now"), LIGHT)
IN_TURN: Final = (STAGES.c.priority, STAGES.c.run_at, STAGES.c.id)
"""Within a tenant: what finishes something first, then as they came."""

AT_ONCE: Final = 64
"""More than claims are made in the same moment: each leaves one turn to the next."""
MOST_MS: Final = 2**31 - 1
"""Larger than any cost: everything is light."""


@dataclass(frozen=True, slots=True, order=True)
class Turn:
    """A tenant's first stage in a lane, by its place among those of other tenants."""

    priority: int
    running: int
    run_at: datetime
    stage_id: str
    lane: Lane
    tenant: str


def turns(
    connection: Line,
    lanes: Sequence[Lane],
    now: datetime,
    light_only: int | None,
) -> Sequence[Turn]:
    """Who is next: of equal priority the tenant that has the fewest stages running."""
    found = [
        Turn(row.priority, row.running or 0, row.run_at, row.id, lane, row.tenant)
        for lane in lanes
        for row in connection.execute(_TURNS, lane_values(lane, light_only, now))
    ]
    return sorted(found)


def lane_values(
    lane: Lane, light_only: int | None, now: datetime | None = None
) -> dict[str, Any]:
    """What READY, or OF_LANE and LIGHT, are to be filled with."""
    most = MOST_MS if light_only is None else light_only
    values: dict[str, Any] = {"its_lane": lane, "cheaper_than": most}
    return values if now is None else values | {"now": now}


def _tenants() -> CTE:
    """All tenants that wait in the lane, found by leaps over the index; then NULL."""

    def first(*which: ColumnElement[bool]) -> ScalarSelect[str]:
        waiting = select(STAGES.c.tenant).where(_CLAIMABLE, OF_LANE, *which)
        return waiting.order_by(STAGES.c.tenant).limit(1).scalar_subquery()

    tenants = select(first().label("tenant")).cte("tenants", recursive=True)
    following = select(first(STAGES.c.tenant > tenants.c.tenant))
    return tenants.union_all(following.where(tenants.c.tenant.is_not(None)))


def _heads() -> CTE:
    """The first stage of each of these tenants that may run."""
    tenants = _tenants()
    busy = (
        select(STAGES.c.tenant, func.count().label("running"))
        .where(RUNNING)
        .group_by(STAGES.c.tenant)
        .subquery("busy")
    )

    def head(column: ColumnElement[Any]) -> ScalarSelect[Any]:
        mine = select(column).where(READY, STAGES.c.tenant == tenants.c.tenant)
        return mine.order_by(*IN_TURN).limit(1).scalar_subquery()

    return (
        select(
            tenants.c.tenant,
            busy.c.running,
            *(head(column).label(column.name) for column in IN_TURN),
        )
        .select_from(tenants)
        .outerjoin(busy, busy.c.tenant == tenants.c.tenant)
        .where(tenants.c.tenant.is_not(None))
        .cte("heads")
    )


_HEADS: Final = _heads()
_TURNS: Final = (
    select(_HEADS)
    .where(_HEADS.c.id.is_not(None))
    .order_by(
        _HEADS.c.priority,
        func.coalesce(_HEADS.c.running, 0),
        _HEADS.c.run_at,
        _HEADS.c.id,
    )
    .limit(AT_ONCE)
)
