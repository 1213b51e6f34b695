"""Doing the work: claim a stage, run it, settle it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from pixtools.domain.errors import (
    Canceled,
    DatabaseUnavailable,
    Interrupted,
    LeaseLost,
    PixtoolsError,
    StorageUnavailable,
)
from pixtools.domain.job import Job, Lane, Stage
from pixtools.domain.keys import archive_key, outputs_prefix, source_key
from pixtools.jobs.advance import end_waiting
from pixtools.jobs.archive import write_archive
from pixtools.jobs.change import Change, change
from pixtools.jobs.claimed import Claimed, Ended, Workplace
from pixtools.jobs.fetch import fetch_source
from pixtools.jobs.postpone import backoff, call_off, give_up, postpone
from pixtools.jobs.problems import problem_of
from pixtools.jobs.render import render_stage
from pixtools.jobs.service import Service

AWAY: Final = (StorageUnavailable, DatabaseUnavailable)
"""No fault of a photo: such an attempt does not count."""
PAUSE_WHILE_AWAY: Final = timedelta(minutes=1)
TRIES_WHILE_AWAY: Final = 60
"""About an hour. What still fails then may be the photo's fault after all."""


def run_next(
    service: Service,
    owner: str,
    lanes: Sequence[Lane] = ("default_queue",),
    *,
    light_only: bool = False,
    likely: bool = False,
) -> Stage | None:
    """Claim and run the next stage of these lanes; the stage, None if there was none.

    `owner` names who runs it, unlike anyone else's name. With `light_only` heavy ones
    are left to others. Where one is `likely` to wait it is claimed without a look. A
    bug is raised after the stage was settled, so that the caller can log it.
    """
    if not (service.rules.relayed or likely):
        # Nobody was told of work: look, before a write has others wait on SQLite.
        due = due_in(service, lanes, light_only=light_only)
        if due is None or due > timedelta():
            return None
    most = service.rules.heavy_ms if light_only else None
    return _run(service, claim(service, owner, lanes=lanes, light_only=most))


def due_in(
    service: Service, lanes: Sequence[Lane], *, light_only: bool = False
) -> timedelta | None:
    """The time until `run_next` will find something; None if nothing waits."""
    most = service.rules.heavy_ms if light_only else None
    with service.database.read() as tx:
        due = tx.queues.next_due(lanes, light_only=most)
    return None if due is None else due - service.clock.now()


def run_stage(service: Service, owner: str, stage_id: str) -> Stage | None:
    """The same for one stage; None if it is not there to be run."""
    return _run(service, claim(service, owner, stage_id=stage_id))


def claim(
    service: Service,
    owner: str,
    *,
    lanes: Sequence[Lane] = (),
    stage_id: str | None = None,
    light_only: int | None = None,
) -> Claimed | None:
    """Take a stage and move its job along, in one transaction.

    With `light_only` one that costs fewer milliseconds. Not `wanted` is a stage
    whose job was canceled or has ended: it is settled.
    """
    with change(service) as made:
        stage = made.tx.stages.claim(
            owner,
            made.now,
            service.rules.lease,
            lanes=lanes,
            stage_id=stage_id,
            light_only=light_only,
        )
        if stage is None:
            return None
        job = _begin(service, made, stage)
        return Claimed(stage, job, wanted=stage.kind == "archive" or job is not None)


def work(service: Service, claimed: Claimed) -> None:
    """Run a claimed stage, and what follows from it, to whatever end they take."""
    following: Claimed | None = claimed
    with Workplace(service.scratch) as place:
        while following:
            following = work_on(service, following, place)


def work_on(service: Service, claimed: Claimed, place: Workplace) -> Claimed | None:
    """Run one claimed stage to whatever end it takes; what follows from it, if any."""
    stage, job = claimed.stage, claimed.job
    try:
        if stage.kind == "archive" or job is None:
            ended = Ended(write_archive(service, stage, job, place.at_hand))
        elif stage.kind == "fetch":
            ended = Ended(fetch_source(service, stage, job))
        else:
            ended = render_stage(service, stage, job, place)
    except Canceled:
        ended = Ended(call_off(service, stage))
    except LeaseLost:
        ended = Ended(kept=False)
    except PixtoolsError as error:
        ended = Ended(_failed(service, stage, error))
    except Exception as error:
        postpone(service, stage, problem_of(error))
        raise
    if not ended.kept and stage.job_id:
        _leave_nothing(service, stage.job_id)
    return ended.following


def _run(service: Service, claimed: Claimed | None) -> Stage | None:
    if claimed and claimed.wanted:
        work(service, claimed)
    return claimed.stage if claimed else None


def _begin(service: Service, made: Change, stage: Stage) -> Job | None:
    """Move the job along with the claim; None if nothing is left to do for it."""
    job = made.tx.jobs.get(stage.job_id, lock=True) if stage.job_id else None
    if stage.kind == "archive":
        _packing(made, stage, job)
        return job
    if job is None or job.terminal or job.cancel_requested_at is not None:
        made.tx.stages.settle(stage, _dropped(stage, made.now))
        if job and not job.terminal:
            rest = replace(job, stages_left=job.stages_left - 1)
            end_waiting(service, made, rest)
        return None
    if stage.kind == "fetch":
        return job
    outputs = tuple(
        replace(output, status="processing")
        if output.id in stage.step_ids and output.status == "pending"
        else output
        for output in job.outputs
    )
    begun = replace(
        job,
        status="processing",
        outputs=outputs,
        started_at=job.started_at or made.now,
    )
    if begun == job:
        return job
    if begun.status == job.status:
        return made.record(begun)
    return made.record(begun, ("status", None))


def _dropped(stage: Stage, now: datetime) -> Stage:
    return replace(
        stage,
        status="canceled",
        lease_owner=None,
        lease_expires_at=None,
        finished_at=now,
    )


def _packing(made: Change, stage: Stage, job: Job | None) -> None:
    if job and job.archive and job.archive.status == "pending":
        archive = replace(job.archive, status="processing")
        made.record(replace(job, archive=archive), ("archive", None))
    batch = made.tx.batches.get(stage.batch_id, lock=True) if stage.batch_id else None
    if batch and batch.archive and batch.archive.status == "pending":
        archive = replace(batch.archive, status="processing")
        made.tx.batches.save(replace(batch, archive=archive, version=batch.version + 1))
        made.tell(batch.id)


def _failed(service: Service, stage: Stage, error: PixtoolsError) -> bool:
    if type(error) is Interrupted:
        problem = problem_of(error)
        return postpone(service, stage, problem, counts=False, pause=timedelta())
    if isinstance(error, AWAY) and stage.attempt < TRIES_WHILE_AWAY:
        pause = min(backoff(stage, service.rules.backoff), PAUSE_WHILE_AWAY)
        return postpone(service, stage, problem_of(error), counts=False, pause=pause)
    if error.retryable:
        return postpone(service, stage, problem_of(error))
    return give_up(service, stage, problem_of(error))


def _leave_nothing(service: Service, job_id: str) -> None:
    """After a lost claim: leave no file of a job that was canceled or erased."""
    with service.database.read() as tx:
        job = tx.jobs.get(job_id)
    if job is None or job.status == "canceled":
        litter = [outputs_prefix(job_id), archive_key(job_id)]
        for prefix in litter if job else [*litter, source_key(job_id)]:
            with suppress(StorageUnavailable):
                service.blobs.delete(prefix)
