"""A job: one source and the outputs asked of it, and how its status may move."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from pixtools.domain.plan import Model
from pixtools.domain.report import Skipped, SourceFacts
from pixtools.domain.webhook import Webhook

JobStatus = Literal[
    "created", "queued", "processing", "succeeded", "partial", "failed", "canceled"
]
OutputStatus = Literal["pending", "processing", "succeeded", "failed", "skipped"]
StageStatus = Literal["queued", "running", "succeeded", "failed", "canceled"]
StageKind = Literal["render", "denoise", "archive", "fetch"]
ArchiveStatus = Literal["pending", "processing", "succeeded", "failed", "skipped"]
SourceType = Literal["upload", "s3_presigned", "object", "local_file", "url"]
Face = Literal["api", "v1"]
Lane = Literal["default_queue", "ml_inference_queue"]

TERMINAL: Final[frozenset[JobStatus]] = frozenset(
    {"succeeded", "partial", "failed", "canceled"}
)
TRANSITIONS: Final[dict[JobStatus, frozenset[JobStatus]]] = {
    "created": frozenset({"queued", "canceled"}),
    "queued": frozenset({"processing", "failed", "canceled"}),
    "processing": TERMINAL,
    "succeeded": frozenset(),
    "partial": frozenset(),
    "failed": frozenset(),
    "canceled": frozenset(),
}
"""Terminal statuses never change. (A retry makes a new job: see `jobs.retry`.)"""


def may_become(now: JobStatus, then: JobStatus) -> bool:
    """Whether the table allows this move; staying is always allowed."""
    return now == then or then in TRANSITIONS[now]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why something failed, as it is told to clients."""

    code: str
    detail: str
    retryable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The original. Sizes in bytes and pixels; `key` is chosen by the server.

    `width` and `height` are upright (EXIF orientation applied). For a presigned
    upload `bytes` and `sha256` hold what was announced until the start verified
    them, and `etag` what the store said of the verified object. `url` is where it has
    yet to be fetched from: it may hold a stranger's secrets and goes with the fetch.
    `seen` is what was read of it just now; it is not kept.
    """

    type: SourceType
    key: str
    filename: str | None = None
    content_type: str | None = None
    bytes: int | None = None
    sha256: str | None = None
    format: str | None = None
    width: int | None = None
    height: int | None = None
    etag: str | None = None
    url: str | None = None
    seen: SourceFacts | None = field(
        default=None, compare=False, metadata={"kept": False}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One file of a job. `duration_ms` is time spent making it.

    Where noise was to be removed, `noise_sigma` is how much there was (its standard
    deviation out of 255), `model` the network that ran, `skipped` why none did.
    """

    id: str
    action: str
    status: OutputStatus = "pending"
    format: str | None = None
    width: int | None = None
    height: int | None = None
    bytes: int | None = None
    sha256: str | None = None
    key: str | None = None
    duration_ms: int | None = None
    noise_sigma: float | None = None
    model: Model | None = None
    skipped: Skipped | None = None
    error: Problem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """The ZIP of a job's (or batch's) outputs."""

    status: ArchiveStatus = "pending"
    key: str | None = None
    bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a job cost.

    Pixels are those of the outputs that were made. Bytes are saved by each output for
    itself, by being smaller than the source. Time is CPU milliseconds of attempts that
    ended in time, well or not; what is done again after one that was lost counts once.
    """

    pixels_processed: int = 0
    bytes_saved: int = 0
    compute_time_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The job as stored. `version` grows with every visible change.

    `pipeline` is `Pipeline.canonical()`; `stages_left` counts picture stages
    that have not ended; `archive` and `webhook` are None where none was asked for.
    """

    id: str
    tenant: str = "default"
    face: Face = "v1"
    status: JobStatus
    source: Source
    pipeline: list[dict[str, Any]]
    outputs: tuple[Output, ...] = ()
    preset: str | None = None
    archive: Archive | None = None
    batch_id: str | None = None
    webhook_url: str | None = None
    webhook: Webhook | None = None
    client_metadata: dict[str, Any] = field(default_factory=dict)
    retry_of: str | None = None
    progress: float = 0.0
    stages_left: int = 0
    facts: dict[str, Any] | None = None
    usage: Usage = Usage()
    error: Problem | None = None
    request_id: str | None = None
    traceparent: str | None = None
    created_at: datetime
    queued_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    expires_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    version: int = 1

    @property
    def terminal(self) -> bool:
        """Whether the status can no longer change."""
        return self.status in TERMINAL

    @property
    def erased(self) -> bool:
        """Whether its owner wants nothing to remind of it.

        Then it has expired the moment it was made, which no other job does.
        """
        return self.expires_at is not None and self.expires_at <= self.created_at

    @property
    def settled(self) -> bool:
        """Whether nothing can change any more: it has ended, and its archive too."""
        moving = self.archive and self.archive.status in ("pending", "processing")
        return self.terminal and not moving


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A unit of work on one lane, claimed under a lease.

    A lower `priority` runs first. `cost_bytes` is the memory and `cost_ms` the time
    on one core that it was estimated to need. An archive stage of a batch has
    `batch_id` and no `job_id`.
    """

    id: str
    job_id: str | None
    kind: StageKind
    batch_id: str | None = None
    tenant: str = "default"
    lane: Lane = "default_queue"
    step_ids: tuple[str, ...] = ()
    status: StageStatus = "queued"
    priority: int = 10
    attempt: int = 0
    max_attempts: int = 5
    run_at: datetime
    dispatched_at: datetime | None = None
    lease_owner: str | None = None
    lease_expires_at: datetime | None = None
    cost_bytes: int = 0
    cost_ms: int = 0
    error: Problem | None = None
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wakeup:
    """Word that a stage waits in a lane, to be passed on once `due_at` has come.

    It promises nothing: whoever is woken asks the database what is next.
    """

    id: str
    stage_id: str
    kind: StageKind
    lane: Lane
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Jobs that were submitted together."""

    id: str
    tenant: str = "default"
    archive: Archive | None = None
    jobs_total: int = 0
    jobs_left: int = 0
    closed: bool = True
    created_at: datetime
    finished_at: datetime | None = None
    expires_at: datetime | None = None
    version: int = 1


def ended_status(
    outputs: tuple[Output, ...], facts_failed: Problem | None
) -> JobStatus:
    """The terminal status that follows from how the outputs ended.

    `facts_failed` is why the metadata that was asked for could not be read.
    """
    good = sum(output.status == "succeeded" for output in outputs)
    bad = sum(output.status in ("failed", "skipped") for output in outputs)
    bad += facts_failed is not None
    if not bad:
        return "succeeded"
    return "partial" if good else "failed"
