"""Jobs, stages and batches as tests need them: plausible, with one thing changed."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pixtools.domain.ids import uuid7
from pixtools.domain.job import Archive, Batch, Job, Output, Problem, Source, Stage
from pixtools.domain.keys import source_key

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
LEASE = timedelta(seconds=60)
_count = itertools.count(1)


def an_id() -> str:
    """A UUIDv7 larger than all before it."""
    number = next(_count)
    return uuid7(int(NOW.timestamp() * 1000) + number, number.to_bytes(10, "big"))


def a_job(**changed: Any) -> Job:  # noqa: ANN401 - any field of a job
    """A queued job with two outputs."""
    job_id = changed.pop("id", None) or an_id()
    job = Job(
        id=job_id,
        status="queued",
        source=Source(
            type="upload",
            key=source_key(job_id),
            filename="größe.jpg",
            content_type="image/jpeg",
            bytes=1000,
            sha256="ab" * 32,
            format="jpg",
            width=160,
            height=112,
            etag="ab",
        ),
        pipeline=[
            {"id": "small", "action": "resize", "width": 64},
            {"id": "web", "action": "convert", "format": "webp"},
        ],
        outputs=(
            Output(id="small", action="resize", format="jpg"),
            Output(
                id="web",
                action="convert",
                format="webp",
                noise_sigma=11.5,
                model="fast",
                error=Problem(code="encode_failed", detail="No."),
            ),
        ),
        archive=Archive(),
        client_metadata={"order": 17, "tags": ["é", None]},
        stages_left=1,
        created_at=NOW,
        queued_at=NOW,
    )
    return replace(job, **changed)


def a_stage(job: Job, **changed: Any) -> Stage:  # noqa: ANN401 - any field of a stage
    """A queued render stage of a job, due now."""
    stage = Stage(
        id=an_id(),
        job_id=job.id,
        kind="render",
        step_ids=("small", "web"),
        run_at=NOW,
        created_at=NOW,
    )
    return replace(stage, **changed)


def a_batch(**changed: Any) -> Batch:  # noqa: ANN401 - any field of a batch
    """An open batch without jobs."""
    batch = Batch(id=an_id(), archive=Archive(), closed=False, created_at=NOW)
    return replace(batch, **changed)
