"""The in-memory twins of Stages, Queues and Outbox."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pixtools.domain.job import Job, Lane, Stage, Wakeup
from pixtools.jobs.ports.waiting import Load
from pixtools.testing.memory_facts import State


class MemoryStages:
    """Work that waits, and who does it."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, stages: Sequence[Stage]) -> None:
        """Queue stages."""
        for stage in stages:
            owned = stage.job_id in self._state.jobs
            if owned == (stage.batch_id in self._state.batches):
                raise ValueError("Broken: a stage belongs to one job or batch.")
            self._state.stages[stage.id] = stage

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
        """Take the next stage."""
        ready = [
            stage
            for stage in self._state.stages.values()
            if stage.attempt < stage.max_attempts
            and _is_ready(stage, now, lanes, stage_id)
            and _is_light(stage, light_only)
        ]
        if not ready:
            return None
        states = self._state.stages.values()
        busy = Counter(s.tenant for s in states if s.status == "running")
        first = min(ready, key=lambda s: (s.priority, busy[s.tenant], s.run_at, s.id))
        taken = replace(
            first,
            status="running",
            attempt=first.attempt + 1,
            lease_owner=owner,
            lease_expires_at=now + lease,
            started_at=first.started_at or now,
        )
        self._state.stages[taken.id] = taken
        return taken

    def extend(self, stage: Stage, now: datetime, lease: timedelta) -> bool:
        """Prolong a claim; False if it is no longer this one's."""
        if not self._is_mine(stage):
            return False
        kept = self._state.stages[stage.id]
        self._state.stages[stage.id] = replace(kept, lease_expires_at=now + lease)
        return True

    def settle(self, stage: Stage, settled: Stage) -> bool:
        """Write a claim's end; False, and nothing written, if it was lost."""
        if not self._is_mine(stage):
            return False
        self._state.stages[stage.id] = settled
        return True

    def of_job(self, job_id: str, *, lock: bool = False) -> Sequence[Stage]:
        """All stages of a job, oldest first."""
        del lock
        mine = [
            stage for stage in self._state.stages.values() if stage.job_id == job_id
        ]
        return sorted(mine, key=lambda stage: stage.id)

    def lapsed(
        self, now: datetime, limit: int, *, owner: str | None = None
    ) -> Sequence[Stage]:
        """Running stages whose lease has run out, or whose owner is of this name."""
        found = [
            stage
            for stage in self._state.stages.values()
            if stage.status == "running"
            and (
                _ends(stage) <= now
                if owner is None
                else (stage.lease_owner or "").startswith(owner)
            )
        ]
        return sorted(found, key=lambda stage: (_ends(stage), stage.id))[:limit]

    def _is_mine(self, stage: Stage) -> bool:
        kept = self._state.stages.get(stage.id)
        return (
            kept is not None
            and kept.status == "running"
            and kept.lease_owner == stage.lease_owner
            and kept.attempt == stage.attempt
        )


class MemoryQueues:
    """Counting what waits."""

    def __init__(self, state: State) -> None:
        self._state = state

    def load(
        self, tenant: str, *, since: datetime | None = None, alone: bool = False
    ) -> Load:
        """Jobs that are queued or processing, and those that have ended since."""
        del alone  # a write has all to itself
        waiting = [
            job
            for job in self._state.jobs.values()
            if job.status in ("queued", "processing")
        ]
        ended = [
            job
            for job in self._state.jobs.values()
            if since and job.finished_at and job.finished_at > since
        ]
        return Load(
            total=len(waiting),
            of_tenant=sum(job.tenant == tenant for job in waiting),
            ended=len(ended),
            ended_of_tenant=sum(job.tenant == tenant for job in ended),
        )

    def position(self, job: Job) -> int | None:
        """How many queued jobs come before it; None if it is not queued."""
        if job.status != "queued" or job.queued_at is None:
            return None
        mine = (job.queued_at, job.id)
        return sum(
            (other.queued_at, other.id) < mine
            for other in self._state.jobs.values()
            if other.status == "queued" and other.queued_at is not None
        )

    def depth(self) -> Mapping[Lane, int]:
        """Stages that wait, by lane."""
        return Counter(stage.lane for stage in self._queued())

    def due(self, now: datetime) -> Mapping[Lane, int]:
        """Stages that wait and may run, by lane."""
        return Counter(stage.lane for stage in self._queued() if stage.run_at <= now)

    def next_due(
        self, lanes: Sequence[Lane], *, light_only: int | None = None
    ) -> datetime | None:
        """When the next queued stage may run; None if none waits."""
        times = [
            stage.run_at
            for stage in self._queued()
            if stage.lane in lanes and _is_light(stage, light_only)
        ]
        return min(times, default=None)

    def cancel(self, job_id: str, now: datetime) -> int:
        """End a job's queued stages as `canceled`; how many there were."""
        mine = [stage for stage in self._queued() if stage.job_id == job_id]
        for stage in mine:
            ended = replace(stage, status="canceled", finished_at=now)
            self._state.stages[stage.id] = ended
        return len(mine)

    def _queued(self) -> list[Stage]:
        return [s for s in self._state.stages.values() if s.status == "queued"]


class MemoryOutbox:
    """Wake-ups, each taken once."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, wakeups: Sequence[Wakeup]) -> None:
        """Keep wake-ups until they are taken."""
        for wakeup in wakeups:
            self._state.wakeups[wakeup.id] = wakeup

    def due(self, now: datetime, limit: int) -> Sequence[Wakeup]:
        """What `take` would answer; it is kept."""
        due = [each for each in self._state.wakeups.values() if each.due_at <= now]
        return sorted(due, key=lambda each: (each.due_at, each.id))[:limit]

    def take(self, now: datetime, limit: int) -> Sequence[Wakeup]:
        """Those whose time has come, the longest due first, and forget them."""
        taken = self.due(now, limit)
        self.forget(taken)
        return taken

    def forget(self, wakeups: Sequence[Wakeup]) -> None:
        """Keep these no longer."""
        for each in wakeups:
            self._state.wakeups.pop(each.id, None)

    def next_due(self) -> datetime | None:
        """When the next one is due; None if there is none."""
        return min((w.due_at for w in self._state.wakeups.values()), default=None)


def _is_ready(
    stage: Stage, now: datetime, lanes: Sequence[Lane], stage_id: str | None
) -> bool:
    waits = stage.status == "queued" and stage.run_at <= now
    if stage_id is None:
        return waits and stage.lane in lanes
    lapsed = stage.status == "running" and _ends(stage) <= now
    return stage.id == stage_id and (waits or lapsed)


def _is_light(stage: Stage, light_only: int | None) -> bool:
    return light_only is None or stage.cost_ms < light_only


def _ends(stage: Stage) -> datetime:
    return stage.lease_expires_at or stage.created_at
