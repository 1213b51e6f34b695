"""What becomes of a stage that could not be finished this time."""

from __future__ import annotations

import zlib
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from pixtools.domain.job import Archive, Problem, Stage
from pixtools.jobs.advance import Outcome, advance, archived, end_waiting
from pixtools.jobs.change import change
from pixtools.jobs.service import Service

LONGEST_PAUSE: Final = timedelta(minutes=5)


def postpone(
    service: Service,
    stage: Stage,
    problem: Problem,
    *,
    counts: bool = True,
    pause: timedelta | None = None,
) -> bool:
    """Queue a stage again after a pause, or fail it when its attempts are used up.

    With `counts=False` the attempt is given back: the work was interrupted for no
    fault of its own. Without a `pause` it doubles with each attempt. A job that is to
    be canceled ends. False if the claim was lost meanwhile.
    """
    if counts and stage.attempt >= stage.max_attempts:
        return give_up(service, stage, problem)
    with change(service) as made:
        if pause is None:
            pause = backoff(stage, service.rules.backoff)
        later = _waiting(stage, problem, made.now + pause, counts=counts)
        if not made.tx.stages.settle(stage, later):
            return False
        made.announce([later])
        if stage.kind != "archive":
            made.tx.stages.of_job(stage.job_id or "", lock=True)
            job = made.tx.jobs.get(stage.job_id or "", lock=True)
            if job and job.cancel_requested_at is not None:
                end_waiting(service, made, job)
        return True


def give_up(service: Service, stage: Stage, problem: Problem) -> bool:
    """Fail a stage for good; False if the claim was lost meanwhile."""
    if stage.kind == "archive":
        return archived(service, stage, Archive(status="failed"))
    return advance(service, stage, Outcome(status="failed", problem=problem)).kept


def call_off(service: Service, stage: Stage) -> bool:
    """End a stage of a job that was canceled; False if the claim was lost meanwhile."""
    return advance(service, stage, Outcome(status="canceled")).kept


def backoff(stage: Stage, first: timedelta) -> timedelta:
    """Doubled for each attempt, times 0.5 to 1.5.

    The factor is drawn from the stage's id: stages that failed together return
    apart, and a test knows when.
    """
    draw = zlib.crc32(f"{stage.id}:{stage.attempt}".encode()) / 2**32
    doubled = first * float(2 ** min(stage.attempt - 1, 16))
    return min(doubled * (0.5 + draw), LONGEST_PAUSE)


def _waiting(
    stage: Stage, problem: Problem, run_at: datetime, *, counts: bool
) -> Stage:
    return replace(
        stage,
        status="queued",
        run_at=run_at,
        error=problem,
        lease_owner=None,
        lease_expires_at=None,
        dispatched_at=None,
        max_attempts=stage.max_attempts + (not counts),
    )
