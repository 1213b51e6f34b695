"""Stages in the database: claims, heartbeats and fenced ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Select,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.sql.dml import UpdateBase

from pixtools.domain.job import Lane, Stage
from pixtools.persistence import tables
from pixtools.persistence.mapping import stage_of, stage_row
from pixtools.persistence.words import literally

STAGES: Final = tables.stages
QUEUED: Final = STAGES.c.status == literally("queued")
RUNNING: Final = STAGES.c.status == literally("running")

ONE_LANE: Final = STAGES.c.lane == bindparam("its_lane")
"""Apart from several, so that the index gives the order without sorting."""
SOME_LANES: Final = STAGES.c.lane.in_(bindparam("its_lanes", expanding=True))

_ATTEMPTS_LEFT: Final = STAGES.c.attempt < STAGES.c.max_attempts
_FENCE: Final = and_(
    STAGES.c.id == bindparam("this"),
    RUNNING,
    STAGES.c.lease_owner == bindparam("its_owner"),
    STAGES.c.attempt == bindparam("its_attempt"),
)


LIGHT: Final = STAGES.c.cost_ms < bindparam("cheaper_than")
MOST_MS: Final = 2**31 - 1
"""Larger than any cost: everything is light."""


def _next_of(lanes: ColumnElement[bool]) -> Select[tuple[str]]:
    due = STAGES.c.run_at <= bindparam("now")
    return (
        select(STAGES.c.id)
        .where(QUEUED, lanes, due, LIGHT, _ATTEMPTS_LEFT)
        .order_by(STAGES.c.priority, STAGES.c.run_at, STAGES.c.id)
        .limit(1)
    )


def _taking(pick: Select[tuple[str]]) -> UpdateBase:
    chosen = pick.with_for_update(skip_locked=True).scalar_subquery()
    return (
        update(STAGES)
        .where(STAGES.c.id == chosen)
        .values(
            status="running",
            attempt=STAGES.c.attempt + 1,
            lease_owner=bindparam("owner"),
            lease_expires_at=bindparam("until", type_=STAGES.c.lease_expires_at.type),
            started_at=func.coalesce(STAGES.c.started_at, bindparam("now")),
        )
        .returning(*STAGES.c)
    )


_TAKE_ONE_LANE: Final = _taking(_next_of(ONE_LANE))
_TAKE_SOME_LANES: Final = _taking(_next_of(SOME_LANES))
_TAKE_THIS: Final = _taking(
    select(STAGES.c.id).where(
        STAGES.c.id == bindparam("this"),
        or_(
            and_(QUEUED, STAGES.c.run_at <= bindparam("now")),
            and_(RUNNING, STAGES.c.lease_expires_at <= bindparam("now")),
        ),
        _ATTEMPTS_LEFT,
    )
)
_ADD: Final = insert(STAGES)
_WRITE: Final = update(STAGES).where(_FENCE)
_OF_JOB: Final = (
    select(STAGES).where(STAGES.c.job_id == bindparam("job")).order_by(STAGES.c.id)
)
_LOCK_OF_JOB: Final = _OF_JOB.with_for_update()


def _running(which: ColumnElement[bool]) -> Select[Any]:
    return (
        select(STAGES)
        .where(RUNNING, which)
        .order_by(STAGES.c.lease_expires_at, STAGES.c.id)
        .limit(bindparam("most"))
    )


_LAPSED: Final = _running(STAGES.c.lease_expires_at <= bindparam("now"))
_HELD: Final = _running(
    func.substr(STAGES.c.lease_owner, 1, func.length(bindparam("owner")))
    == bindparam("owner")
)


class SqlStages:
    """Work that waits, and who does it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, stages: Sequence[Stage]) -> None:
        """Queue stages."""
        if stages:
            self._connection.execute(_ADD, [stage_row(stage) for stage in stages])

    def claim(
        self,
        owner: str,
        now: datetime,
        lease: timedelta,
        *,
        lanes: Sequence[Lane] = (),
        stage_id: str | None = None,
        light_only: int | None = None,
    ) -> Stage | None:
        """Take the next stage: one conditional UPDATE that exactly one racer wins."""
        values: dict[str, Any] = {"owner": owner, "now": now, "until": now + lease}
        if stage_id:
            taken = self._found(_TAKE_THIS, values | {"this": stage_id})
        else:
            statement = _TAKE_ONE_LANE if len(lanes) == 1 else _TAKE_SOME_LANES
            taken = self._found(statement, values | lane_values(lanes, light_only))
        return taken[0] if taken else None

    def extend(self, stage: Stage, now: datetime, lease: timedelta) -> bool:
        """Prolong a claim; False if it is no longer this one's."""
        return self._write(stage, {"lease_expires_at": now + lease})

    def settle(self, stage: Stage, settled: Stage) -> bool:
        """Write a claim's end; False, and nothing written, if it was lost."""
        row = stage_row(settled)
        del row["id"]
        return self._write(stage, row)

    def of_job(self, job_id: str, *, lock: bool = False) -> Sequence[Stage]:
        """All stages of a job, oldest first."""
        return self._found(_LOCK_OF_JOB if lock else _OF_JOB, {"job": job_id})

    def lapsed(
        self, now: datetime, limit: int, *, owner: str | None = None
    ) -> Sequence[Stage]:
        """Running stages whose lease has run out, or whose owner is of this name."""
        if owner is None:
            return self._found(_LAPSED, {"now": now, "most": limit})
        return self._found(_HELD, {"owner": owner, "most": limit})

    def _write(self, stage: Stage, values: dict[str, Any]) -> bool:
        fence = {
            "this": stage.id,
            "its_owner": stage.lease_owner,
            "its_attempt": stage.attempt,
        }
        return self._connection.execute(_WRITE, fence | values).rowcount == 1

    def _found(self, statement: Executable, values: dict[str, Any]) -> Sequence[Stage]:
        rows = self._connection.execute(statement, values)
        return [stage_of(row._asdict()) for row in rows]


def lane_values(lanes: Sequence[Lane], light_only: int | None) -> dict[str, Any]:
    """What ONE_LANE or SOME_LANES, and LIGHT, are to be filled with."""
    most = {"cheaper_than": MOST_MS if light_only is None else light_only}
    if len(lanes) == 1:
        return most | {"its_lane": lanes[0]}
    return most | {"its_lanes": list(lanes)}
