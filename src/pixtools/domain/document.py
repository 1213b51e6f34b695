"""The job document: the same in a poll, in an event stream and in a webhook."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from pixtools.domain.job import ArchiveStatus, JobStatus, OutputStatus


class Document(BaseModel):
    """A part of what clients read. Fields are only ever added."""

    model_config = ConfigDict(frozen=True)


class ProblemDocument(Document):
    """Why something failed."""

    code: str
    detail: str
    retryable: bool = False


class SourceDocument(Document):
    """The original as it was received; sizes are upright, in bytes and pixels."""

    filename: str | None = None
    content_type: str | None = None
    bytes: int | None = None
    width: int | None = None
    height: int | None = None
    sha256: str | None = None


class OutputDocument(Document):
    """One output file; `url` is signed anew for each reader."""

    id: str
    action: str
    status: OutputStatus
    format: str | None = None
    content_type: str | None = None
    width: int | None = None
    height: int | None = None
    bytes: int | None = None
    sha256: str | None = None
    url: str | None = None
    url_expires_at: datetime | None = None
    duration_ms: int | None = None
    error: ProblemDocument | None = None


class ArchiveDocument(Document):
    """The ZIP of all outputs."""

    status: ArchiveStatus
    url: str | None = None
    bytes: int | None = None


class WebhookDocument(Document):
    """How telling the client goes."""

    state: str
    attempts: int = 0
    last_status: int | None = None
    next_attempt_at: datetime | None = None


class UsageDocument(Document):
    """What the job cost."""

    pixels_processed: int = 0
    bytes_saved: int = 0
    compute_time_ms: int = 0


class JobDocument(Document):
    """All that can be known of a job."""

    job_id: str
    status: JobStatus
    progress: float
    queue_position: int | None = None
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    expires_at: datetime | None = None
    source: SourceDocument
    outputs: list[OutputDocument]
    metadata: dict[str, Any] | None = None
    archive: ArchiveDocument | None = None
    webhook: WebhookDocument | None = None
    usage: UsageDocument
    error: ProblemDocument | None = None
    batch_id: str | None = None
    client_metadata: dict[str, Any] = {}
    links: dict[str, str]


class BatchDocument(Document):
    """Jobs submitted together: one progress, one ZIP."""

    batch_id: str
    status: str
    progress: float
    created_at: datetime
    finished_at: datetime | None = None
    expires_at: datetime | None = None
    jobs: list[JobDocument]
    archive: ArchiveDocument | None = None
    links: dict[str, str]
