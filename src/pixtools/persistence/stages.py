"""Stages in the database: claims, heartbeats and fenced ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
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
from pixtools.persistence.lines import Line
from pixtools.persistence.mapping import stage_of, stage_row
from pixtools.persistence.turns import (
    IN_TURN,
    QUEUED,
    READY,
    RUNNING,
    STAGES,
    lane_values,
    turns,
)

_FENCE: Final = and_(
    STAGES.c.id == bindparam("this"),
    RUNNING,
    STAGES.c.lease_owner == bindparam("its_owner"),
    STAGES.c.attempt == bindparam("its_attempt"),
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


_TAKE_NEXT: Final = _taking(
    select(STAGES.c.id)
    .where(READY, STAGES.c.tenant == bindparam("its_tenant"))
    .order_by(*IN_TURN)
    .limit(1)
)
_TAKE_THIS: Final = _taking(
    select(STAGES.c.id).where(
        STAGES.c.id == bindparam("this"),
        or_(
            and_(QUEUED, STAGES.c.run_at <= bindparam("now")),
            and_(RUNNING, STAGES.c.lease_expires_at <= bindparam("now")),
        ),
        STAGES.c.attempt < STAGES.c.max_attempts,
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

    def __init__(self, connection: Line) -> None:
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
        """Take the next stage by a conditional UPDATE that exactly one racer wins."""
        values: dict[str, Any] = {"owner": owner, "now": now, "until": now + lease}
        if stage_id:
            taken = self._found(_TAKE_THIS, values | {"this": stage_id})
            return taken[0] if taken else None
        for turn in turns(self._connection, lanes, now, light_only):
            mine = lane_values(turn.lane, light_only) | {"its_tenant": turn.tenant}
            if taken := self._found(_TAKE_NEXT, values | mine):
                return taken[0]
        return None

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
