"""Counting what waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, cast

from sqlalchemy import (
    and_,
    bindparam,
    func,
    literal_column,
    select,
    tuple_,
    update,
)

from pixtools.domain.job import Job, Lane
from pixtools.jobs.ports.waiting import Load
from pixtools.persistence import tables
from pixtools.persistence.lines import Line
from pixtools.persistence.turns import LIGHT, OF_LANE, QUEUED, STAGES, lane_values
from pixtools.persistence.words import literally, one_of

JOBS: Final = tables.jobs
_WAITING: Final = one_of(JOBS.c.status, ("queued", "processing"))
"""To the letter what the index of waiting jobs says; SQLite concludes nothing."""

_WAITS: Final = and_(QUEUED, STAGES.c.priority >= literal_column("0"))
"""To the letter what the index of due stages says: no priority is below 0."""

ADMISSION: Final = 7_161_952_118
"""Any number that nothing else in the database locks."""
_ALONE: Final = select(func.pg_advisory_xact_lock(ADMISSION))
_LOAD: Final = select(
    func.count(), func.count().filter(JOBS.c.tenant == bindparam("tenant"))
).where(_WAITING)
_ENDED: Final = select(
    func.count(), func.count().filter(JOBS.c.tenant == bindparam("tenant"))
).where(JOBS.c.finished_at > bindparam("since"))
_POSITION: Final = select(func.count()).where(
    _WAITING,
    JOBS.c.status == literally("queued"),
    tuple_(JOBS.c.queued_at, JOBS.c.id)
    < tuple_(
        bindparam("since", type_=JOBS.c.queued_at.type),
        bindparam("this", type_=JOBS.c.id.type),
    ),
)
_DEPTH: Final = (
    select(STAGES.c.lane, func.count()).where(_WAITS).group_by(STAGES.c.lane)
)
_DUE: Final = _DEPTH.where(STAGES.c.run_at <= bindparam("now"))
_NEXT: Final = (
    select(STAGES.c.run_at)
    .where(_WAITS, OF_LANE, LIGHT)
    .order_by(STAGES.c.run_at)
    .limit(1)
)
_CANCEL: Final = (
    update(STAGES)
    .where(STAGES.c.job_id == bindparam("job"), QUEUED)
    .values(status="canceled", finished_at=bindparam("now"))
)


class SqlQueues:
    """What waits, counted over partial indexes of just that."""

    def __init__(self, connection: Line) -> None:
        self._connection = connection

    def load(
        self, tenant: str, *, since: datetime | None = None, alone: bool = False
    ) -> Load:
        """Jobs that are queued or processing, and those that have ended since."""
        if alone and self._connection.dialect.name == "postgresql":
            self._connection.execute(_ALONE)
        total, own = self._connection.execute(_LOAD, {"tenant": tenant}).one()
        if since is None:
            return Load(total=total, of_tenant=own)
        values = {"tenant": tenant, "since": since}
        ended, own_ended = self._connection.execute(_ENDED, values).one()
        return Load(total=total, of_tenant=own, ended=ended, ended_of_tenant=own_ended)

    def position(self, job: Job) -> int | None:
        """How many queued jobs come before it; None if it is not queued."""
        if job.status != "queued" or job.queued_at is None:
            return None
        values = {"since": job.queued_at, "this": job.id}
        before: int = self._connection.execute(_POSITION, values).scalar_one()
        return before

    def depth(self) -> Mapping[Lane, int]:
        """Stages that wait, by lane."""
        rows = self._connection.execute(_DEPTH)
        return {cast("Lane", lane): count for lane, count in rows}

    def due(self, now: datetime) -> Mapping[Lane, int]:
        """Stages that wait and may run, by lane."""
        rows = self._connection.execute(_DUE, {"now": now})
        return {cast("Lane", lane): count for lane, count in rows}

    def next_due(
        self, lanes: Sequence[Lane], *, light_only: int | None = None
    ) -> datetime | None:
        """When the next queued stage may run; None if none waits."""
        times = [
            self._connection.execute(_NEXT, lane_values(lane, light_only)).scalar()
            for lane in lanes
        ]
        return min((time for time in times if time), default=None)

    def cancel(self, job_id: str, now: datetime) -> int:
        """End a job's queued stages as `canceled`; how many there were."""
        return self._connection.execute(_CANCEL, {"job": job_id, "now": now}).rowcount
