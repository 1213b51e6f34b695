"""Work that waits: stages, their counts, and the word that they wait.

The verbs own their ports; adapters obey them. Every port has at most six methods,
an in-memory twin in `pixtools.testing` and one suite that each adapter passes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from pixtools.domain.job import Job, Lane, Stage, Wakeup


class Stages(Protocol):
    """Work that waits, and who does it."""

    def add(self, stages: Sequence[Stage]) -> None:
        """Queue stages."""
        ...

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
        """Take the next queued stage of these lanes whose time has come.

        In order of priority; then of tenants the one that has the fewest stages
        running; then of `run_at` and id, so that jobs end about as they came.
        With `light_only` only those that cost fewer milliseconds. With `stage_id` it
        is that one or none, and may also be a running one whose lease has run out.
        Only stages with attempts left; sets owner, lease and `attempt + 1`. Exactly
        one of many racing claimants gets it.
        """
        ...

    def extend(self, stage: Stage, now: datetime, lease: timedelta) -> bool:
        """Heartbeat: prolong the lease; False if it is no longer this claim's."""
        ...

    def settle(self, stage: Stage, settled: Stage) -> bool:
        """Write `settled` over the claim `stage` (fenced by owner and attempt).

        The new status may be terminal, or `queued` again with a later `run_at`.
        False, and nothing written, if the claim is no longer this one's.
        """
        ...

    def of_job(self, job_id: str, *, lock: bool = False) -> Sequence[Stage]:
        """All stages of a job, oldest first; `lock` as with `Jobs.get`.

        Who locks a job's stages and the job takes the stages first.
        """
        ...

    def lapsed(
        self, now: datetime, limit: int, *, owner: str | None = None
    ) -> Sequence[Stage]:
        """Running stages whose lease has run out, oldest first.

        With `owner`: those held by owners of this name or whose name begins so,
        whatever their lease.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How much waits: jobs that are queued or processing; and how many have ended."""

    total: int
    of_tenant: int
    ended: int = 0
    ended_of_tenant: int = 0


class Queues(Protocol):
    """Counting what waits."""

    def load(
        self, tenant: str, *, since: datetime | None = None, alone: bool = False
    ) -> Load:
        """Jobs not yet terminal (`created` ones not counted).

        With `since` also those that have ended after that time. With `alone` nobody
        else counts alone until this transaction has ended: it may add what there is
        room for.
        """
        ...

    def position(self, job: Job) -> int | None:
        """How many queued jobs come before it; None if it is not queued."""
        ...

    def depth(self) -> Mapping[Lane, int]:
        """Stages that wait, by lane."""
        ...

    def due(self, now: datetime) -> Mapping[Lane, int]:
        """Stages that wait and may run, by lane; lanes without any are left out."""
        ...

    def next_due(
        self, lanes: Sequence[Lane], *, light_only: int | None = None
    ) -> datetime | None:
        """When the next queued stage may run; None if none waits.

        With `light_only` of those that cost fewer milliseconds.
        """
        ...

    def cancel(self, job_id: str, now: datetime) -> int:
        """End a job's queued stages as `canceled`; how many there were."""
        ...


class Outbox(Protocol):
    """Wake-ups on their way to the broker, kept until it has them."""

    def add(self, wakeups: Sequence[Wakeup]) -> None:
        """Keep wake-ups until they are taken."""
        ...

    def due(self, now: datetime, limit: int) -> Sequence[Wakeup]:
        """What `take` would answer; it is kept."""
        ...

    def take(self, now: datetime, limit: int) -> Sequence[Wakeup]:
        """Those whose time has come, the longest due first, and forget them.

        Two that take at once never get the same; what was taken by a transaction
        that is undone is there again.
        """
        ...

    def forget(self, wakeups: Sequence[Wakeup]) -> None:
        """Keep these no longer; harmless twice."""
        ...

    def next_due(self) -> datetime | None:
        """When the next one is due; None if there is none."""
        ...
