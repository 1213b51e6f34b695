"""The job document: the same in a poll, in an event stream and in a webhook."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pixtools.domain.job import ArchiveStatus, JobStatus, OutputStatus
from pixtools.domain.plan import Model
from pixtools.domain.report import Skipped
from pixtools.domain.webhook import EventType, WebhookState


class Document(BaseModel):
    """A part of what clients read. Fields are only ever added."""

    model_config = ConfigDict(frozen=True)


class ProblemDocument(Document):
    """Why something failed."""

    code: str = Field(description="Its stable name (see errors).")
    detail: str = Field(description="What went wrong this time.")
    retryable: bool = Field(
        False, description="Whether the same work may succeed later."
    )


class SourceDocument(Document):
    """The original as it was received; sizes are upright, in bytes and pixels."""

    filename: str | None = Field(None, description="The client's own name for it.")
    content_type: str | None = Field(
        None, description="As its content tells; of an announced one as announced."
    )
    bytes: int | None = Field(None, description="Size of the file.")
    width: int | None = None
    height: int | None = None
    sha256: str | None = Field(None, description="Of its bytes, in hex.")


class OutputDocument(Document):
    """One output file; `url` is signed anew for each reader."""

    id: str = Field(description="The step's id.")
    action: str = Field(description="What the step did.")
    status: OutputStatus
    format: str | None = Field(None, description="As in /v1/operations.")
    content_type: str | None = None
    width: int | None = None
    height: int | None = None
    bytes: int | None = Field(None, description="Size of the file.")
    sha256: str | None = Field(None, description="Of its bytes, in hex.")
    url: str | None = Field(
        None, description="Where to fetch it; null until it is there."
    )
    url_expires_at: datetime | None = Field(
        None, description="Until when; ask for the document again after that."
    )
    duration_ms: int | None = Field(None, description="Time spent making it.")
    noise_sigma: float | None = Field(
        None,
        description="Noise that was found where it was to be removed: its standard "
        "deviation out of 255.",
    )
    model: Model | None = Field(None, description="The network that removed it.")
    skipped: Skipped | None = Field(
        None, description="Why none did: clean, there was none to speak of."
    )
    error: ProblemDocument | None = Field(None, description="Why it was not made.")


class ArchiveDocument(Document):
    """The ZIP of all outputs."""

    status: ArchiveStatus
    url: str | None = Field(
        None, description="Where to fetch it; null until it is there."
    )
    bytes: int | None = Field(None, description="Size of the file.")


class WebhookDocument(Document):
    """How telling the client goes."""

    state: str
    attempts: int = 0
    last_status: int | None = None
    next_attempt_at: datetime | None = None


class UsageDocument(Document):
    """What the job cost; `GET /v1/usage` sums it up when the job has ended."""

    pixels_processed: int = Field(0, description="Pixels of the outputs.")
    bytes_saved: int = Field(
        0,
        description="Bytes that outputs are smaller than the source, each by itself.",
    )
    compute_time_ms: int = Field(
        0, description="CPU milliseconds; what was lost and done again counts once."
    )


class JobDocument(Document):
    """All that can be known of a job."""

    job_id: str = Field(description="A UUIDv7.")
    status: JobStatus
    progress: float = Field(description="From 0 to 1.")
    queue_position: int | None = Field(
        None, description="How many queued jobs come before it."
    )
    created_at: datetime = Field(description="All times are in UTC.")
    started_at: datetime | None = None
    finished_at: datetime | None = None
    expires_at: datetime | None = Field(
        None, description="When the job and its files are deleted."
    )
    source: SourceDocument
    outputs: list[OutputDocument]
    metadata: dict[str, Any] | None = Field(
        None, description="Facts of the photo, if they were asked for."
    )
    archive: ArchiveDocument | None = Field(
        None, description="Null where none was asked for."
    )
    webhook: WebhookDocument | None = Field(
        None, description="Null where none was asked for."
    )
    usage: UsageDocument
    error: ProblemDocument | None = Field(None, description="Why the job has failed.")
    batch_id: str | None = Field(None, description="The batch that it belongs to.")
    client_metadata: dict[str, Any] = Field(
        default_factory=dict, description="The client's own words, as sent."
    )
    links: dict[str, str] = Field(
        description="Where to go from here, by what one finds there."
    )


class WebhookEvent(Document):
    """What a webhook is sent: `timestamp` is when the job ended."""

    type: EventType
    timestamp: datetime
    data: JobDocument


class AttemptDocument(Document):
    """One try: the receiver's HTTP status and the begin of its answer, or why not."""

    number: int = Field(
        description="From 1; one that nobody lived to record is left out."
    )
    at: datetime
    status: int | None = Field(
        None, description="The receiver's answer; null for none."
    )
    ms: int = Field(description="Milliseconds until its body was read.")
    error: str | None = Field(
        None,
        description="unreachable, refused, signing secret unreadable, internal error.",
    )
    body: str = Field("", description="The first 2 KB of its answer.")


class DeliveryDocument(Document):
    """One event on its way to one address."""

    id: str = Field(description="A UUIDv7.")
    webhook_id: str = Field(
        description="The header `webhook-id`, the same in every try."
    )
    job_id: str
    event: EventType
    url: str
    state: WebhookState
    next_attempt_at: datetime | None = Field(None, description="While it is pending.")
    last_status: int | None = None
    created_at: datetime
    ended_at: datetime | None = Field(
        None, description="When it was delivered, or given up."
    )
    attempts: list[AttemptDocument] = []
    links: dict[str, str] = Field(
        description="Where to go from here, by what one finds there."
    )


class BatchDocument(Document):
    """Jobs submitted together: one progress, one ZIP."""

    batch_id: str = Field(description="A UUIDv7.")
    status: str = Field(description="open, processing, or how its jobs ended.")
    progress: float = Field(description="From 0 to 1.")
    created_at: datetime
    finished_at: datetime | None = None
    expires_at: datetime | None = Field(
        None, description="When the batch and its ZIP are deleted."
    )
    jobs: list[JobDocument]
    archive: ArchiveDocument | None = Field(
        None, description="Null where none was asked for."
    )
    links: dict[str, str] = Field(
        description="Where to go from here, by what one finds there."
    )
