"""How ended stages move a job: everything that follows, in one fenced transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal

from pixtools.domain.errors import CorruptImage
from pixtools.domain.job import (
    Archive,
    Job,
    JobStatus,
    Output,
    OutputStatus,
    Problem,
    Stage,
    ended_status,
    may_become,
)
from pixtools.domain.keys import archive_key, outputs_prefix
from pixtools.domain.pipeline import Pipeline
from pixtools.jobs import webhooks
from pixtools.jobs.batch import job_ended
from pixtools.jobs.change import Change, Happening, change
from pixtools.jobs.claimed import Claimed, Ended
from pixtools.jobs.problems import problem_of
from pixtools.jobs.service import Service
from pixtools.jobs.usage import meter
from pixtools.jobs.work import archive_stage

Ending = Literal["succeeded", "failed", "canceled"]
DONE: Final[Happening] = ("done", None)
"""Told once: with the last file, or with the first word of the client's webhook."""
_OVER: Final[frozenset[OutputStatus]] = frozenset({"succeeded", "failed", "skipped"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a picture stage ended.

    `outputs` are those it was to make; `facts` what it read of the source, whose
    upright `size` it knows. `problem` is why the whole stage failed.
    """

    status: Ending
    outputs: tuple[Output, ...] = ()
    facts: dict[str, Any] | None = None
    size: tuple[int, int] | None = None
    compute_time_ms: int = 0
    problem: Problem | None = None


def advance(
    service: Service,
    stage: Stage,
    outcome: Outcome,
    *,
    go_on: bool = False,
    packed: Archive | None = None,
) -> Ended:
    """End a picture stage and move its job.

    A cancel that was asked for before this wins over the stage's success. Whoever can
    `go_on` and has ended a job's last picture packs its archive, too: that stage is
    claimed in the same transaction, and nobody has to look for it. There is none where
    all was `packed` already.
    """
    with change(service) as made:
        if not made.tx.stages.settle(stage, _ended(stage, outcome, made.now)):
            return Ended(kept=False)
        job = made.tx.jobs.get(stage.job_id or "", lock=True)
        if job is None:
            return Ended(kept=True)
        merged = with_results(job, stage, outcome)
        merged = replace(merged, stages_left=job.stages_left - 1)
        happened = _news(job, merged)
        if merged.stages_left:
            made.record(merged, *happened)
            return Ended(kept=True)
        packer = stage if go_on and stage.lane == "default_queue" else None
        ended, packing = _conclude(service, made, merged, happened, packer, packed)
        following = Claimed(packing, ended, wanted=True) if packing else None
        return Ended(kept=True, following=following)


def end_waiting(service: Service, made: Change, job: Job) -> Job:
    """End the stages of a job that wait; and the job, if no stage runs any more.

    The job's `cancel_requested_at` must be set: a running stage ends by it.
    """
    dropped = made.tx.queues.cancel(job.id, made.now)
    job = replace(job, stages_left=job.stages_left - dropped)
    if job.stages_left:
        return made.record(job)
    ended, _ = _conclude(service, made, job)
    return ended


def archived(service: Service, stage: Stage, archive: Archive) -> bool:
    """End an archive stage; False if the claim was lost meanwhile."""
    failed = archive.status == "failed"
    with change(service) as made:
        ending = Outcome(status="failed" if failed else "succeeded")
        if not made.tx.stages.settle(stage, _ended(stage, ending, made.now)):
            return False
        if stage.batch_id:
            batch = made.tx.batches.get(stage.batch_id, lock=True)
            if batch:
                saved = replace(batch, archive=archive, version=batch.version + 1)
                made.tx.batches.save(saved)
                made.tell(batch.id)
            return True
        job = made.tx.jobs.get(stage.job_id or "", lock=True)
        if job:
            packed = replace(job, archive=archive)
            done = () if webhooks.is_untold(job) else (DONE,)
            webhooks.settled(service, made, packed)
            made.record(packed, ("archive", None), *done)
        return True


def skipped(job: Job) -> Job:
    """A job that is not wanted any more keeps no file, and so has saved no byte."""
    outputs = tuple(
        output
        if output.status == "failed"
        else Output(
            id=output.id, action=output.action, status="skipped", format=output.format
        )
        for output in job.outputs
    )
    return replace(job, outputs=outputs, usage=replace(job.usage, bytes_saved=0))


def _conclude(
    service: Service,
    made: Change,
    job: Job,
    happened: Iterable[Happening] = (),
    packer: Stage | None = None,
    ahead: Archive | None = None,
) -> tuple[Job, Stage | None]:
    """End a job that has no picture stage left: status, archive, batch, events.

    With the job comes the stage that packs it, if `packer`'s owner has claimed it.
    """
    status: JobStatus = "canceled"
    if job.cancel_requested_at is not None:
        job = skipped(job)
        made.discard(outputs_prefix(job.id))
        made.discard(archive_key(job.id))
    else:
        facts = _facts_problem(job)
        status = ended_status(job.outputs, facts)
        error = next((o.error for o in job.outputs if o.error), None)
        error = job.error or facts or (error if status == "failed" else None)
        job = replace(job, error=error)
    if not may_become(job.status, status):
        raise AssertionError(f"{job.status} never becomes {status}")
    packed, taken = _packing(service, made, job, packer, ahead)
    ended = replace(
        job,
        status=status,
        archive=packed,
        progress=1.0,
        finished_at=made.now,
        expires_at=job.expires_at or made.now + service.rules.retention,
    )
    ended = made.record(ended, *happened, *_ending(ended))
    meter(made, ended)
    webhooks.ended(service, made, ended)
    job_ended(service, made, ended)
    return ended, taken


def _ended(stage: Stage, outcome: Outcome, now: datetime) -> Stage:
    return replace(
        stage,
        status=outcome.status,
        error=outcome.problem,
        lease_owner=None,
        lease_expires_at=None,
        finished_at=now,
    )


def _ending(job: Job) -> list[Happening]:
    """What is told of a job that has just ended."""
    told: list[Happening] = [("status", None)]
    if job.archive and job.archive.status in ("processing", "succeeded"):
        told.append(("archive", None))
    if job.settled and not webhooks.is_untold(job):
        told.append(DONE)
    return told


def with_results(job: Job, stage: Stage, outcome: Outcome) -> Job:
    """The job with a stage's results; outputs it is silent about take its problem."""
    told = {output.id: output for output in outcome.outputs}
    mine = frozenset(stage.step_ids)
    outputs = tuple(
        told.get(output.id) or _without(output, outcome)
        if output.id in mine
        else output
        for output in job.outputs
    )
    made = [output for output in outputs if output.status == "succeeded"]
    size = job.source.bytes or 0
    usage = replace(
        job.usage,
        pixels_processed=sum((o.width or 0) * (o.height or 0) for o in made),
        bytes_saved=sum(max(0, size - (o.bytes or size)) for o in made),
        compute_time_ms=job.usage.compute_time_ms + outcome.compute_time_ms,
    )
    width, height = outcome.size or (job.source.width, job.source.height)
    return replace(
        job,
        outputs=outputs,
        usage=usage,
        source=replace(job.source, width=width, height=height),
        facts=job.facts if outcome.facts is None else outcome.facts,
        error=job.error or outcome.problem,
        progress=max(job.progress, _progress(job, outputs)),
    )


def _without(output: Output, outcome: Outcome) -> Output:
    if outcome.status == "canceled":
        return replace(output, status="skipped")
    return replace(output, status="failed", error=outcome.problem)


def _progress(job: Job, outputs: tuple[Output, ...]) -> float:
    over = sum(output.status in _OVER for output in outputs)
    return over / len(outputs) if outputs else job.progress


def _facts_problem(job: Job) -> Problem | None:
    if job.facts is not None or not Pipeline.parse(job.pipeline).wants_metadata:
        return None
    return job.error or problem_of(CorruptImage("The metadata could not be read."))


def _packing(
    service: Service,
    made: Change,
    job: Job,
    packer: Stage | None,
    ahead: Archive | None,
) -> tuple[Archive | None, Stage | None]:
    if job.archive is None:
        return None, None
    if not any(output.status == "succeeded" for output in job.outputs):
        return replace(job.archive, status="skipped"), None
    if ahead is not None:
        return ahead, None
    stage = archive_stage(service, job, made.now)
    if packer is None:
        made.queue([stage])
        return job.archive, None
    taken = replace(
        stage,
        status="running",
        attempt=1,
        lease_owner=packer.lease_owner,
        lease_expires_at=made.now + service.rules.lease,
        started_at=made.now,
    )
    made.tx.stages.add([taken])
    return replace(job.archive, status="processing"), taken


def _news(before: Job, after: Job) -> list[Happening]:
    """An event for each output that has ended."""
    was = {output.id: output.status for output in before.outputs}
    return [
        ("output", output.id)
        for output in after.outputs
        if output.status in _OVER and output.status != was[output.id]
    ]
