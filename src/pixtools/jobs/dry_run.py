"""What an order would cost and make, without taking it on: nothing is stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pixtools.domain.errors import (
    InvalidPipeline,
    JobConflict,
    OutputError,
)
from pixtools.domain.formats import FORMATS, Format
from pixtools.domain.job import Job, Lane, Problem, Source, Stage
from pixtools.domain.layout import Layout, Size, check_layout, layout
from pixtools.domain.operations.actions import Picture
from pixtools.domain.pipeline import Pipeline
from pixtools.jobs.orders import Order, job_of
from pixtools.jobs.problems import problem_of
from pixtools.jobs.read import get_batch
from pixtools.jobs.service import Service
from pixtools.jobs.submit import check_announced
from pixtools.jobs.work import check_memory, fetching_stage, stages_of

EXAMPLE_SIZE: Final[Size] = (4000, 3000)
"""A photo of twelve megapixels, as most phones and cameras take them."""
_EXTREMES: Final[tuple[Size, ...]] = ((1, 1), (1, 60_000), (60_000, 1), (9999, 7777))
"""What is made of all of these in one size is made so of any photo."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """About what a job takes, good to a factor of two.

    `compute_time_ms` are milliseconds of one core; `decoded_bytes` the photo's pixels
    in memory, at four bytes each.
    """

    compute_time_ms: int
    pixels_processed: int
    decoded_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedOutput:
    """A file that would be made; its format and size, as far as they are known.

    `error` is why it could not be made.
    """

    id: str
    action: str
    lane: Lane
    format: str | None = None
    width: int | None = None
    height: int | None = None
    error: Problem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitUse:
    """One limit, and how much of it the job would take; None where that is unknown."""

    name: str
    limit: float
    used: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What would become of an order.

    Where the photo is not known, `source` and `cost` are None, and `example` is the
    photo for which `example_cost` was worked out in their place.
    """

    source: Source | None
    cost: Cost | None
    example: Source | None
    example_cost: Cost | None
    stages: Sequence[Stage]
    outputs: Sequence[PlannedOutput]
    limits: Sequence[LimitUse]


def dry_run(service: Service, order: Order, source: Source) -> Forecast:
    """Foresee a job. A source without a format is a photo that is not known.

    Raises what taking the order would raise, but for what only the moment decides: a
    full queue, or a key that is in use.
    """
    check_announced(service, source.bytes)
    _check_batch(service, order)
    known = source.format is not None
    job = (job_of if known else _example)(service, order, source, "")
    check_memory(service, order.pipeline, source)
    now = service.clock.now()
    stages = stages_of(service, job, now)
    first = [fetching_stage(service, job, now)] if source.type == "url" else []
    cost = _cost(service, job, stages)
    outputs = list(_planned(service, order.pipeline, source, stages))
    return Forecast(
        source=source if known else None,
        cost=cost if known else None,
        example=None if known else job.source,
        example_cost=None if known else cost,
        stages=[*first, *stages],
        outputs=outputs,
        limits=_limits(service, job, source, outputs, stages if known else ()),
    )


def _check_batch(service: Service, order: Order) -> None:
    if order.batch_id is None:
        return
    batch, _ = get_batch(service, order.tenant, order.batch_id)
    if batch.closed:
        raise JobConflict(f"Batch {batch.id} is closed: no more jobs can join it.")


def _example(service: Service, order: Order, announced: Source, job_id: str) -> Job:
    """The job for a usual photo: as announced, else as the pipeline fits."""
    readable = [
        kind
        for kind in FORMATS.values()
        if kind.name in service.rules.capabilities.readable
    ]
    width, height = EXAMPLE_SIZE
    refusals: list[InvalidPipeline] = []
    for name in _announced(readable, announced) or [kind.name for kind in readable]:
        source = Source(type="upload", key="", format=name, width=width, height=height)
        try:
            return job_of(service, order, source, job_id)
        except InvalidPipeline as refused:
            refusals.append(refused)
    raise refusals[0]


def _announced(kinds: Sequence[Format], source: Source) -> list[str]:
    return [kind.name for kind in kinds if kind.content_type == source.content_type]


def _planned(
    service: Service, pipeline: Pipeline, source: Source, stages: Sequence[Stage]
) -> Iterator[PlannedOutput]:
    lanes = {step_id: stage.lane for stage in stages for step_id in stage.step_ids}
    for step in pipeline.pictures:
        format = step.format or source.format
        laid = _laid_out(step, source)
        size = laid.size if laid else (None, None)
        yield PlannedOutput(
            id=step.id,
            action=step.action,
            lane=lanes[step.id],
            format=format,
            width=size[0],
            height=size[1],
            error=_refusal(service, laid, format),
        )


def _laid_out(step: Picture, source: Source) -> Layout | None:
    """How a step lays its photo out; None if that depends on an unknown photo."""
    if source.width and source.height:
        return layout((source.width, source.height), step.box())
    first, *others = (layout(size, step.box()) for size in _EXTREMES)
    return first if all(other.size == first.size for other in others) else None


def _refusal(
    service: Service, laid: Layout | None, format: str | None
) -> Problem | None:
    if laid is None or format is None:
        return None
    try:
        check_layout(laid, FORMATS[format], service.rules.limits)
    except OutputError as error:
        return problem_of(error)
    return None


def _cost(service: Service, job: Job, stages: Sequence[Stage]) -> Cost:
    """What can be made costs; the rest is refused before it has cost anything."""
    steps = Pipeline.parse(job.pipeline).steps
    planned = list(_planned(service, Pipeline(steps), job.source, stages))
    bad = {output.id for output in planned if output.error}
    if bad:
        possible = Pipeline([step for step in steps if step.id not in bad])
        rest = replace(job, pipeline=possible.canonical())
        stages = stages_of(service, rest, job.created_at) if possible.steps else ()
    good = [output for output in planned if output.id not in bad]
    return Cost(
        compute_time_ms=sum(stage.cost_ms for stage in stages),
        pixels_processed=sum((o.width or 0) * (o.height or 0) for o in good),
        decoded_bytes=max((stage.cost_bytes for stage in stages), default=0),
    )


def _limits(
    service: Service,
    job: Job,
    source: Source,
    outputs: Sequence[PlannedOutput],
    stages: Sequence[Stage],
) -> Sequence[LimitUse]:
    limits = service.rules.limits
    sides = (source.width, source.height)
    made = [side for output in outputs for side in (output.width, output.height)]
    used: dict[str, float | None] = {
        "max_upload_bytes": source.bytes,
        "max_pixels": sides[0] * sides[1] if sides[0] and sides[1] else None,
        "max_side": _largest(sides),
        "max_steps": len(job.pipeline),
        "max_output_side": _largest(made),
        # What denoises has a time of its own, which follows from the photo's size.
        "timeout_seconds": _largest(
            [stage.cost_ms / 1000 for stage in stages if stage.kind != "denoise"]
        ),
    }
    return [
        LimitUse(name=name, limit=getattr(limits, name), used=found)
        for name, found in used.items()
    ]


def _largest(numbers: Sequence[float | None]) -> float | None:
    """The largest number; None where one is missing, or all are."""
    known = [number for number in numbers if number is not None]
    return max(known) if known and len(known) == len(numbers) else None
