"""The fetching stage: a source comes from its address, and the job can begin.

It is work like any other, so nobody who asks for it waits for a stranger. The job
stays queued until its source is here.
"""

from __future__ import annotations

from dataclasses import replace

from pixtools.domain.errors import InternalError
from pixtools.domain.job import Job, Source, Stage
from pixtools.domain.pipeline import Pipeline
from pixtools.jobs.advance import end_waiting
from pixtools.jobs.change import Change, change
from pixtools.jobs.intake import Intake, check_bytes, check_sha256
from pixtools.jobs.photos import stored_source
from pixtools.jobs.ports.sources import FetchedSource
from pixtools.jobs.pulse import Pulse
from pixtools.jobs.service import Service
from pixtools.jobs.work import check_format, check_memory, outputs_of, stages_of


def fetch_source(service: Service, stage: Stage, job: Job) -> bool:
    """Fetch a claimed job's source and queue its pictures; False if it lost the claim.

    Raises what the fetcher, the intake, the store and the pulse raise, UploadMismatch
    if it is not the file that was announced, InvalidPipeline if its format does not go
    with the job's steps, and ImageTooLargeForMemory.
    """
    pulse = Pulse(service, stage)
    with Intake.of_job(service, job) as intake:
        fetched = _fetched(service, job.source, intake, pulse)
        check_bytes(job.source, fetched.bytes)
        check_sha256(job.source, fetched.sha256)
        pulse.hold()
        received = intake.finish()
        source = stored_source("url", received, job.source.filename or fetched.filename)
        pipeline = Pipeline.parse(job.pipeline)
        check_format(service, pipeline, source.format or "")
        check_memory(service, pipeline, source)
        kept = pulse.insist(lambda: _arrived(service, stage, source))
        # Whoever has the claim now may have put the same file there.
        intake.keep()
        return kept


def _fetched(
    service: Service, source: Source, intake: Intake, pulse: Pulse
) -> FetchedSource:
    if service.fetcher is None or source.url is None:
        raise InternalError("This worker fetches no sources.")
    return service.fetcher.fetch(
        source.url,
        intake.write,
        limit=service.rules.limits.max_upload_bytes,
        timeout=service.rules.fetch_timeout.total_seconds(),
        beat=pulse.again,
    )


def _arrived(service: Service, stage: Stage, source: Source) -> bool:
    """Settle the stage and queue the others; False if the claim was lost meanwhile."""
    with change(service) as made:
        done = replace(
            stage,
            status="succeeded",
            lease_owner=None,
            lease_expires_at=None,
            finished_at=made.now,
        )
        if not made.tx.stages.settle(stage, done):
            return False
        job = made.tx.jobs.get(stage.job_id or "", lock=True)
        if job:
            _go_on(service, made, replace(job, stages_left=job.stages_left - 1), source)
        return True


def _go_on(service: Service, made: Change, job: Job, source: Source) -> None:
    outputs = outputs_of(Pipeline.parse(job.pipeline), source.format)
    job = replace(job, source=source, outputs=outputs)
    if job.cancel_requested_at is not None:
        end_waiting(service, made, job)
        return
    stages = stages_of(service, job, made.now)
    made.queue(stages)
    left = job.stages_left + len(stages)
    made.record(replace(job, stages_left=left), ("status", None))
