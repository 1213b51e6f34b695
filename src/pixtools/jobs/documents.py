"""From jobs and batches as stored to what clients read."""

from __future__ import annotations

from collections.abc import Sequence

from pixtools.domain.document import (
    ArchiveDocument,
    BatchDocument,
    JobDocument,
    OutputDocument,
    ProblemDocument,
    SourceDocument,
    UsageDocument,
    WebhookDocument,
)
from pixtools.domain.formats import FORMATS
from pixtools.domain.job import Archive, Batch, Job, Output, Problem
from pixtools.domain.webhook import Webhook
from pixtools.jobs.names import batch_bundle_name, bundle_name, download_name
from pixtools.jobs.ports.blobs import Links

ZIP = "application/zip"


def described(links: Links, job: Job, queue_position: int | None) -> JobDocument:
    """The document of a job."""
    source, usage = job.source, job.usage
    return JobDocument(
        job_id=job.id,
        status=job.status,
        progress=round(job.progress, 3),
        queue_position=queue_position,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        expires_at=job.expires_at,
        source=SourceDocument(
            filename=source.filename,
            content_type=source.content_type,
            bytes=source.bytes,
            width=source.width,
            height=source.height,
            sha256=source.sha256,
        ),
        outputs=[_output(links, job, output) for output in job.outputs],
        metadata=job.facts,
        archive=_archive(links, job.archive, bundle_name(job)),
        webhook=_webhook(job),
        usage=UsageDocument(
            pixels_processed=usage.pixels_processed,
            bytes_saved=usage.bytes_saved,
            compute_time_ms=usage.compute_time_ms,
        ),
        error=_problem(job.error),
        batch_id=job.batch_id,
        client_metadata=job.client_metadata,
        links=_job_links(job),
    )


def described_batch(links: Links, batch: Batch, jobs: Sequence[Job]) -> BatchDocument:
    """The document of a batch."""
    here = f"/v1/batches/{batch.id}"
    return BatchDocument(
        batch_id=batch.id,
        status=batch_status(batch, jobs),
        progress=round(_batch_progress(batch, jobs), 3),
        created_at=batch.created_at,
        finished_at=batch.finished_at,
        expires_at=batch.expires_at,
        jobs=[described(links, job, None) for job in jobs],
        archive=_archive(links, batch.archive, batch_bundle_name(batch.id)),
        links={"self": here, "events": f"{here}/events"},
    )


def batch_status(batch: Batch, jobs: Sequence[Job]) -> str:
    """Open, processing, or how its jobs ended: all the same, or partial."""
    if not batch.closed:
        return "open"
    if batch.finished_at is None:
        return "processing"
    ends = {job.status for job in jobs}
    return ends.pop() if len(ends) == 1 else "partial" if ends else "succeeded"


def _batch_progress(batch: Batch, jobs: Sequence[Job]) -> float:
    if batch.finished_at:
        return 1.0
    running = sum(job.progress for job in jobs if not job.terminal)
    ended = batch.jobs_total - batch.jobs_left
    return min(1.0, (ended + running) / max(1, batch.jobs_total))


def _output(links: Links, job: Job, output: Output) -> OutputDocument:
    content_type = FORMATS[output.format].content_type if output.format else None
    url = expires_at = None
    if output.status == "succeeded" and output.key and content_type:
        name = download_name(job, output)
        url, expires_at = links.download(output.key, name, content_type)
    return OutputDocument(
        id=output.id,
        action=output.action,
        status=output.status,
        format=output.format,
        content_type=content_type,
        width=output.width,
        height=output.height,
        bytes=output.bytes,
        sha256=output.sha256,
        url=url,
        url_expires_at=expires_at,
        duration_ms=output.duration_ms,
        noise_sigma=output.noise_sigma,
        model=output.model,
        skipped=output.skipped,
        error=_problem(output.error),
    )


def _archive(
    links: Links, archive: Archive | None, name: str
) -> ArchiveDocument | None:
    if archive is None:
        return None
    url = None
    if archive.status == "succeeded" and archive.key:
        url, _ = links.download(archive.key, name, ZIP)
    return ArchiveDocument(status=archive.status, url=url, bytes=archive.bytes)


def _webhook(job: Job) -> WebhookDocument | None:
    if job.webhook_url is None:
        return None
    webhook = job.webhook or Webhook()
    return WebhookDocument(
        state=webhook.state,
        attempts=webhook.attempts,
        last_status=webhook.last_status,
        next_attempt_at=webhook.next_attempt_at,
    )


def _problem(problem: Problem | None) -> ProblemDocument | None:
    if problem is None:
        return None
    return ProblemDocument(
        code=problem.code, detail=problem.detail, retryable=problem.retryable
    )


def _job_links(job: Job) -> dict[str, str]:
    here = f"/v1/jobs/{job.id}"
    links = {"self": here, "events": f"{here}/events"}
    if job.status == "created":
        links["start"] = f"{here}/start"
    if not job.terminal:
        links["cancel"] = f"{here}/cancel"
    elif any(output.status in ("failed", "skipped") for output in job.outputs):
        links["retry"] = f"{here}/retry"
    if job.webhook_url:
        links["deliveries"] = f"{here}/deliveries"
    if job.batch_id:
        links["batch"] = f"/v1/batches/{job.batch_id}"
    return links
