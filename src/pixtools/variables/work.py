"""How much works at once, and how long it and its results stay."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field

from pixtools.variables.times import LONGEST_HOURS, LONGEST_SECONDS


class Work(BaseModel):
    """Workers, queue, bounds of a picture, times."""

    workers: int = Field(2, ge=1, le=64, description="Pixel processes at work at once.")
    queue_size: int = Field(
        1000, ge=1, description="Jobs that may wait before 503 queue_full."
    )
    tenant_share: float = Field(
        1.0, gt=0, le=1, description="Share of QUEUE_SIZE that one tenant may take."
    )
    heavy_ms: int = Field(
        8000, ge=1, description="Estimated milliseconds from which work is heavy."
    )
    ml_queue_isolation_enabled: bool = Field(
        True, description="Denoising waits in ml_inference_queue, apart from the rest."
    )
    lease_seconds: float = Field(
        60,
        ge=1,
        le=LONGEST_SECONDS,
        description="Silence after which a worker's stage is taken up again.",
    )
    worker_heartbeat_file: Path | None = Field(
        None, description="File that a living `pixtools worker` touches."
    )
    scheduler_heartbeat_file: Path | None = Field(
        None, description="File that a living `pixtools scheduler` touches."
    )
    memory_budget_mb: int = Field(
        1024, ge=64, description="Memory that pictures of one process may take (MB)."
    )
    max_upload_bytes: int = Field(
        30 * 1024 * 1024, ge=1, description="Largest source in bytes."
    )
    max_image_pixels: int = Field(
        100_000_000, ge=1, description="Most pixels of a source, frames counted."
    )
    task_timeout_seconds: float = Field(
        120,
        gt=0,
        le=LONGEST_SECONDS,
        description="Longest that one stage may run (seconds); one that denoises "
        "longer, by its photo's size.",
    )
    job_retention_hours: float = Field(
        24,
        gt=0,
        le=LONGEST_HOURS,
        description="Hours until a finished job and its files are deleted.",
    )
    usage_retention_days: int = Field(
        400, ge=1, le=36_500, description="Days that the usage of jobs is kept."
    )
    presigned_url_expiry_seconds: int = Field(
        86_400, ge=1, le=604_800, description="Life of download URLs (seconds)."
    )
    upload_url_expiry_seconds: int = Field(
        900, ge=1, le=604_800, description="Life of upload URLs (seconds)."
    )
    idempotency_ttl_seconds: int = Field(
        86_400,
        ge=1,
        le=LONGEST_SECONDS,
        description="How long first answers are kept (seconds).",
    )
