"""What work cost a tenant: by job as it ends, and by day. Days are UTC's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from pixtools.domain.job import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Metered:
    """What one job cost, on the day on which it ended.

    `outputs` are the files that it made and kept, `pixels_processed` their pixels;
    the rest is `Usage`'s.
    """

    job_id: str
    tenant: str
    day: date
    outputs: int = 0
    pixels_processed: int = 0
    bytes_saved: int = 0
    compute_time_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DayUsage:
    """What all of a tenant's jobs cost that ended on one day."""

    day: date
    jobs: int = 0
    outputs: int = 0
    pixels_processed: int = 0
    bytes_saved: int = 0
    compute_time_ms: int = 0


def metered(job: Job, ended_at: datetime) -> Metered | None:
    """What a job cost that ends now; None for one that was never begun."""
    if job.started_at is None:
        return None
    return Metered(
        job_id=job.id,
        tenant=job.tenant,
        day=day_of(ended_at),
        outputs=sum(output.status == "succeeded" for output in job.outputs),
        pixels_processed=job.usage.pixels_processed,
        bytes_saved=job.usage.bytes_saved,
        compute_time_ms=job.usage.compute_time_ms,
    )


def day_of(moment: datetime) -> date:
    """The day, as it is called in UTC."""
    return moment.astimezone(UTC).date()
