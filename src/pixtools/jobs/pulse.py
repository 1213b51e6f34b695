"""Keeping a claim alive while its work runs, and hearing of a cancel.

There is no heartbeat thread: whoever works calls the pulse (the renderer at least
twice a second, transfers between two chunks), and it looks at the clock. So work
that hangs loses its lease, as it should, a frozen process finds its lease gone the
moment it wakes, and a runner needs one connection, not two. A single call of a port
that does not call back (`Blobs.fetch`) has a whole lease to itself.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

from pixtools.domain.errors import Canceled, DatabaseUnavailable, LeaseLost
from pixtools.domain.job import Job, Stage
from pixtools.jobs.change import change
from pixtools.jobs.service import Service

T = TypeVar("T")
LOOK_EVERY: Final = timedelta(seconds=1)
TELL_EVERY: Final = timedelta(seconds=1)
LEAST_STEP: Final = 0.01


class Pulse:
    """The checkpoint of one claimed stage; call it often, with the fraction done.

    Raises LeaseLost when another owner has the stage, Canceled when its job is to
    stop. While the database is away the work goes on for as long as the lease lasts.
    """

    def __init__(self, service: Service, stage: Stage, until: float = 1.0) -> None:
        self._service = service
        self._stage = stage
        self._until = until
        self._told = self._fraction = 0.0
        now = service.clock.now()
        self._lease_ends = stage.lease_expires_at or now
        self._beat_at = now + service.rules.heartbeat
        self._tell_at = now + TELL_EVERY
        self._look_at = now + LOOK_EVERY

    def __call__(self, fraction: float) -> None:
        """Note how much is done (0..1) and go on, or raise to stop."""
        now, self._fraction = self._service.clock.now(), fraction
        done = min(max(fraction, 0.0), 1.0) * self._until
        news = done >= self._told + LEAST_STEP and now >= self._tell_at
        if not (news or now >= self._beat_at or now >= self._look_at):
            return
        try:
            if news or now >= self._beat_at:
                self._beat(done, now)
            else:
                self._look(now)
        except DatabaseUnavailable:
            if now >= self._lease_ends:
                raise LeaseLost from None
            self._look_at = self._beat_at = self._tell_at = now + LOOK_EVERY

    def again(self) -> None:
        """The same as the last call: still at work, no news."""
        self(self._fraction)

    def hold(self) -> None:
        """Be sure of the claim before bytes become visible.

        With more than half of the lease left nobody else can have it, and a look
        within the last second is as good as one now: what becomes visible after a
        cancel or an erasure is taken back when the stage ends.
        """
        now = self._service.clock.now()
        if now > self._lease_ends - self._service.rules.lease / 2:
            self._beat(self._told, now)
        elif now >= self._look_at:
            self._look_at = now + LOOK_EVERY
            with suppress(DatabaseUnavailable):
                self._look(now)

    def insist(self, verb: Callable[[], T]) -> T:
        """Do what ends the work, again and again while the database is away.

        The work is done, and would be done once more for want of a line about it.
        Raises DatabaseUnavailable when the lease is nearly over.
        """
        while True:
            try:
                return verb()
            except DatabaseUnavailable:
                if self._service.clock.now() + 2 * LOOK_EVERY >= self._lease_ends:
                    raise
            self._service.rest(LOOK_EVERY.total_seconds())

    def _beat(self, done: float, now: datetime) -> None:
        rules = self._service.rules
        with change(self._service) as made:
            if not made.tx.stages.extend(self._stage, now, rules.lease):
                raise LeaseLost
            job = self._job(made.tx.jobs.get(self._stage.job_id or "", lock=True))
            if job:
                progress = round(self._of_job(job, done), 4)
                if progress > job.progress:
                    made.record(replace(job, progress=progress))
        self._told = done
        self._lease_ends = now + rules.lease
        self._beat_at = now + rules.heartbeat
        self._tell_at, self._look_at = now + TELL_EVERY, now + LOOK_EVERY

    def _look(self, now: datetime) -> None:
        if self._stage.job_id:
            with self._service.database.read() as tx:
                self._job(tx.jobs.get(self._stage.job_id))
        self._look_at = now + LOOK_EVERY

    def _job(self, job: Job | None) -> Job | None:
        """The job if this stage moves its progress; raises Canceled if it may not."""
        if self._stage.job_id is None:
            return None
        if job is None:
            raise Canceled
        if self._stage.kind == "archive":
            return None
        if job.cancel_requested_at is not None:
            raise Canceled
        return job

    def _of_job(self, job: Job, done: float) -> float:
        """The job's progress, if this stage is the only one that moves now."""
        if not job.outputs:
            return done
        mine = frozenset(self._stage.step_ids)
        ended = sum(
            output.id not in mine and output.status in ("succeeded", "failed")
            for output in job.outputs
        )
        own = sum(output.id in mine for output in job.outputs)
        return min(0.99, (ended + own * done) / len(job.outputs))
