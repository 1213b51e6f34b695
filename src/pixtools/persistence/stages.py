"""Stages in the database: claims, heartbeats and fenced ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    func,
    insert,
    or_,
    select,
    update,
)

from pixtools.domain.job import Lane, Stage
from pixtools.persistence import tables
from pixtools.persistence.mapping import stage_of, stage_row
from pixtools.persistence.words import literally

STAGES = tables.stages
QUEUED = STAGES.c.status == literally("queued")
RUNNING = STAGES.c.status == literally("running")


class SqlStages:
    """Work that waits, and who does it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, stages: Sequence[Stage]) -> None:
        """Queue stages."""
        if stages:
            rows = [stage_row(stage) for stage in stages]
            self._connection.execute(insert(STAGES), rows)

    def claim(
        self,
        owner: str,
        now: datetime,
        lease: timedelta,
        *,
        lanes: Sequence[Lane] = (),
        stage_id: str | None = None,
    ) -> Stage | None:
        """Take the next stage: one conditional UPDATE that exactly one racer wins."""
        pick = _by_id(stage_id, now) if stage_id else _next(lanes, now)
        chosen = pick.with_for_update(skip_locked=True).scalar_subquery()
        taken = (
            update(STAGES)
            .where(STAGES.c.id == chosen)
            .values(
                status="running",
                attempt=STAGES.c.attempt + 1,
                lease_owner=owner,
                lease_expires_at=now + lease,
                started_at=func.coalesce(STAGES.c.started_at, now),
            )
            .returning(*STAGES.c)
        )
        row = self._connection.execute(taken).first()
        return stage_of(row._asdict()) if row else None

    def extend(self, stage: Stage, now: datetime, lease: timedelta) -> bool:
        """Prolong a claim; False if it is no longer this one's."""
        prolonged = (
            update(STAGES).where(_fence(stage)).values(lease_expires_at=now + lease)
        )
        return self._connection.execute(prolonged).rowcount == 1

    def settle(self, stage: Stage, settled: Stage) -> bool:
        """Write a claim's end; False, and nothing written, if it was lost."""
        row = stage_row(settled)
        del row["id"]
        ended = update(STAGES).where(_fence(stage)).values(row)
        return self._connection.execute(ended).rowcount == 1

    def of_job(self, job_id: str, *, lock: bool = False) -> Sequence[Stage]:
        """All stages of a job, oldest first."""
        query = select(STAGES).where(STAGES.c.job_id == job_id).order_by(STAGES.c.id)
        return self._found(query.with_for_update() if lock else query)

    def lapsed(
        self, now: datetime, limit: int, *, owner: str | None = None
    ) -> Sequence[Stage]:
        """Running stages whose lease has run out, or whose owner is of this name."""
        late = STAGES.c.lease_expires_at <= now
        held = (
            STAGES.c.lease_owner.startswith(owner, autoescape=True)
            if owner is not None
            else late
        )
        query = (
            select(STAGES)
            .where(RUNNING, held)
            .order_by(STAGES.c.lease_expires_at, STAGES.c.id)
            .limit(limit)
        )
        return self._found(query)

    def _found(self, query: Select[*tuple[object, ...]]) -> Sequence[Stage]:
        return [stage_of(row._asdict()) for row in self._connection.execute(query)]


def _next(lanes: Sequence[Lane], now: datetime) -> Select[tuple[str]]:
    return (
        select(STAGES.c.id)
        .where(QUEUED, of_lanes(lanes), STAGES.c.run_at <= now, _attempts_left())
        .order_by(STAGES.c.priority, STAGES.c.run_at, STAGES.c.id)
        .limit(1)
    )


def _by_id(stage_id: str, now: datetime) -> Select[tuple[str]]:
    ready = or_(
        and_(QUEUED, STAGES.c.run_at <= now),
        and_(RUNNING, STAGES.c.lease_expires_at <= now),
    )
    return select(STAGES.c.id).where(STAGES.c.id == stage_id, ready, _attempts_left())


def of_lanes(lanes: Sequence[Lane]) -> ColumnElement[bool]:
    """Whether a stage runs on one of these lanes."""
    if len(lanes) == 1:
        return STAGES.c.lane == lanes[0]
    return STAGES.c.lane.in_(lanes)


def _attempts_left() -> ColumnElement[bool]:
    return STAGES.c.attempt < STAGES.c.max_attempts


def _fence(stage: Stage) -> ColumnElement[bool]:
    return and_(
        STAGES.c.id == stage.id,
        RUNNING,
        STAGES.c.lease_owner == stage.lease_owner,
        STAGES.c.attempt == stage.attempt,
    )
