"""Starting a job whose source the client has uploaded by itself."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from pixtools.domain.errors import (
    InvalidPipeline,
    JobNotFound,
    SourceError,
    UploadMismatch,
    UploadMissing,
)
from pixtools.domain.job import Job, Source
from pixtools.domain.pipeline import Pipeline
from pixtools.jobs.admission import admit, check_load
from pixtools.jobs.change import change
from pixtools.jobs.intake import check_bytes, check_sha256, header_of
from pixtools.jobs.ports.blobs import Blob
from pixtools.jobs.read import get_job
from pixtools.jobs.service import Service
from pixtools.jobs.submit import Submitted
from pixtools.jobs.work import check_format, check_memory, outputs_of, stages_of


def start(service: Service, tenant: str, job_id: str) -> Submitted:
    """Verify the upload and queue the job; starting again gives the same answer.

    An upload that is refused is deleted, so that a right one may take its place
    while the permission lasts. Raises JobNotFound, JobExpired, UploadMissing,
    UploadMismatch, InvalidPipeline, ImageTooLargeForMemory, QueueFull,
    TenantShareExceeded, and what `header.read_header` raises.
    """
    job = get_job(service, tenant, job_id)
    if job.status != "created":
        return Submitted(job, replayed=True)
    admit(service, tenant)
    try:
        source = _verified(service, job.source)
        pipeline = Pipeline.parse(job.pipeline)
        check_format(service, pipeline, source.format or "")
        check_memory(service, pipeline, source)
    except (SourceError, UploadMismatch, InvalidPipeline):
        service.blobs.delete(job.source.key)
        raise
    return _queue(service, tenant, job_id, source)


def _verified(service: Service, announced: Source) -> Source:
    blob = service.blobs.stat(announced.key)
    if blob is None:
        raise UploadMissing
    check_bytes(announced, blob.bytes)
    header = header_of(service, blob)
    return replace(
        announced,
        bytes=blob.bytes,
        sha256=_sha256(service, blob, announced),
        etag=blob.etag,
        content_type=header.content_type,
        format=header.format,
        width=header.width,
        height=header.height,
        seen=header.facts,
    )


def _sha256(service: Service, blob: Blob, announced: Source) -> str | None:
    """What the store has compared, else the hash of all bytes if one was announced."""
    if announced.sha256 is None:
        return blob.sha256
    sha256 = blob.sha256 or _hashed(service, blob)
    check_sha256(announced, sha256)
    return sha256


def _hashed(service: Service, blob: Blob) -> str:
    digest = hashlib.sha256()
    for chunk in service.blobs.read(blob.key, etag=blob.etag):
        digest.update(chunk)
    return digest.hexdigest()


def _queue(service: Service, tenant: str, job_id: str, source: Source) -> Submitted:
    with change(service) as made:
        job = made.tx.jobs.get(job_id, lock=True)
        if job is None:
            raise JobNotFound
        if job.status != "created":
            return Submitted(job, replayed=True)
        check_load(made.tx, service.rules, tenant, made.now)
        queued = _queued(job, source)
        stages = stages_of(service, queued, made.now)
        queued = replace(queued, queued_at=made.now, stages_left=len(stages))
        made.queue(stages)
        return Submitted(made.record(queued, ("status", None)))


def _queued(job: Job, source: Source) -> Job:
    outputs = outputs_of(Pipeline.parse(job.pipeline), source.format)
    return replace(
        job, status="queued", source=source, outputs=outputs, expires_at=None
    )
