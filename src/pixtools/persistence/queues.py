"""Counting what waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import Connection, func, select, tuple_, update

from pixtools.domain.job import Job, Lane
from pixtools.jobs.ports.facts import Load
from pixtools.persistence.stages import QUEUED, STAGES, of_lanes
from pixtools.persistence.tables import jobs as JOBS  # noqa: N812 - a constant
from pixtools.persistence.words import literally, one_of


class SqlQueues:
    """What waits, counted over partial indexes of just that."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def load(self, tenant: str) -> Load:
        """Jobs that are queued or processing."""
        waiting = one_of(JOBS.c.status, ("queued", "processing"))
        own = func.count().filter(JOBS.c.tenant == tenant)
        query = select(func.count(), own).where(waiting)
        total, of_tenant = self._connection.execute(query).one()
        return Load(total=total, of_tenant=of_tenant)

    def position(self, job: Job) -> int | None:
        """How many queued jobs come before it; None if it is not queued."""
        if job.status != "queued" or job.queued_at is None:
            return None
        query = select(func.count()).where(
            JOBS.c.status == literally("queued"),
            tuple_(JOBS.c.queued_at, JOBS.c.id) < tuple_(job.queued_at, job.id),
        )
        return self._connection.execute(query).scalar_one()

    def depth(self) -> Mapping[Lane, int]:
        """Stages that wait, by lane."""
        query = (
            select(STAGES.c.lane, func.count()).where(QUEUED).group_by(STAGES.c.lane)
        )
        return {
            cast("Lane", lane): count
            for lane, count in self._connection.execute(query).tuples()
        }

    def next_due(self, lanes: Sequence[Lane]) -> datetime | None:
        """When the next queued stage may run; None if none waits."""
        query = select(func.min(STAGES.c.run_at)).where(QUEUED, of_lanes(lanes))
        due: datetime | None = self._connection.execute(query).scalar_one()
        return due

    def cancel(self, job_id: str, now: datetime) -> int:
        """End a job's queued stages as `canceled`; how many there were."""
        ended = (
            update(STAGES)
            .where(STAGES.c.job_id == job_id, QUEUED)
            .values(status="canceled", finished_at=now)
        )
        return self._connection.execute(ended).rowcount
