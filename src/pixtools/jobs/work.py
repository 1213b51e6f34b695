"""From a pipeline to what waits: a job's outputs and the stages that make them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pixtools.domain.catalogue import check_offered
from pixtools.domain.errors import FieldError, InvalidPipeline
from pixtools.domain.job import Batch, Job, Output, Source, Stage
from pixtools.domain.keys import inbox_prefix
from pixtools.domain.memory import never_fits, too_large_for_memory
from pixtools.domain.operations.actions import Picture, Step
from pixtools.domain.pipeline import Pipeline
from pixtools.domain.report import SourceFacts
from pixtools.jobs.estimate import denoising_ms, rendering_ms
from pixtools.jobs.service import Rules, Service

BYTES_PER_PIXEL = 4
ARCHIVE_PRIORITY = 0
"""Finishing what is begun comes before the pixels of later jobs."""


def check_pipeline(service: Service, tenant: str, pipeline: Pipeline) -> None:
    """Raise InvalidPipeline for steps that no worker here could run for this tenant."""
    check_offered(pipeline, service.rules.capabilities)
    for index, step in enumerate(pipeline.steps):
        key = watermark_key(step)
        if key is None:
            continue
        at = f"/pipeline/{index}/watermark/image"
        if not key.startswith(inbox_prefix(tenant)):
            text = f"Expected an object below {inbox_prefix(tenant)} but received {key}"
            raise _unusable(at, f"{text}.")
        if service.blobs.stat(key) is None:
            raise _unusable(at, f"There is no object {key}.")


def check_format(service: Service, pipeline: Pipeline, source_format: str) -> None:
    """Raise InvalidPipeline for options that do not fit what a step would write."""
    plan = pipeline.plan(source_format)
    for output in plan.outputs:
        if output.encode.format not in service.rules.capabilities.writable:
            index = [step.id for step in pipeline.steps].index(output.id)
            text = f"This deployment can't write {output.encode.format}: name a format."
            raise _unusable(f"/pipeline/{index}/format", text)


def check_memory(service: Service, pipeline: Pipeline, source: Source) -> None:
    """Raise ImageTooLargeForMemory for a photo that no worker here could ever take.

    Nothing is said of a photo that is not here yet.
    """
    known = source.seen or _plain(source)
    if known is None:
        return
    limits = service.rules.limits
    needed = never_fits(known, pipeline.plan(known.format).outputs, limits)
    if needed is not None:
        raise too_large_for_memory(needed, limits)


def _plain(source: Source) -> SourceFacts | None:
    if not (source.format and source.width and source.height):
        return None
    return SourceFacts(format=source.format, width=source.width, height=source.height)


def watermark_key(step: Step) -> str | None:
    """The object key of the image that a step draws, if it draws one."""
    if isinstance(step, Picture) and step.watermark:
        return step.watermark.image
    return None


def outputs_of(
    pipeline: Pipeline, source_format: str | None = None
) -> tuple[Output, ...]:
    """The outputs that a pipeline will make, all pending."""
    return tuple(
        Output(id=step.id, action=step.action, format=step.format or source_format)
        for step in pipeline.pictures
    )


def stages_of(
    service: Service, job: Job, now: datetime, pipeline: Pipeline | None = None
) -> Sequence[Stage]:
    """One stage for everything that one decode gives, one for each denoising step.

    Before those one that fetches the source, where it is not here yet. `pipeline` is
    the job's own, for who has it at hand.
    """
    if job.source.url:
        return [fetching_stage(service, job, now)]
    pipeline = pipeline or Pipeline.parse(job.pipeline)
    source, rules = job.source, service.rules
    planned = pipeline.plan(source.format or "").outputs
    denoised = [output for output in planned if output.denoise]
    apart = {output.id for output in denoised}
    rest = tuple(step.id for step in pipeline.steps if step.id not in apart)

    def stage(cost_ms: int, *step_ids: str, denoise: bool = False) -> Stage:
        isolated = denoise and rules.ml_isolated
        return Stage(
            id=service.ids.new(),
            job_id=job.id,
            tenant=job.tenant,
            kind="denoise" if denoise else "render",
            lane="ml_inference_queue" if isolated else "default_queue",
            step_ids=step_ids,
            max_attempts=rules.max_attempts,
            run_at=now,
            created_at=now,
            cost_bytes=(source.width or 0) * (source.height or 0) * BYTES_PER_PIXEL,
            cost_ms=cost_ms,
        )

    waiting: list[Stage] = []
    if rest:
        light = [output for output in planned if not output.denoise]
        waiting.append(stage(rendering_ms(source, light), *rest))
    for output in denoised:
        cost = denoising_ms(source, output, rules.capabilities.models)
        # However small: a network is loaded for it, and takes every core.
        waiting.append(stage(max(cost, rules.heavy_ms), output.id, denoise=True))
    return waiting


def fetching_stage(service: Service, job: Job, now: datetime) -> Stage:
    """The stage that fetches a job's source from its address."""
    return Stage(
        id=service.ids.new(),
        job_id=job.id,
        tenant=job.tenant,
        kind="fetch",
        # Whatever fails it fails every step.
        step_ids=tuple(step.id for step in Pipeline.parse(job.pipeline).steps),
        max_attempts=service.rules.max_attempts,
        run_at=now,
        created_at=now,
        # A stranger who is slow never keeps all hands.
        cost_ms=service.rules.heavy_ms,
    )


def is_heavy(rules: Rules, stage: Stage) -> bool:
    """Whether a stage is one of those that never take all hands at once."""
    return stage.lane == "ml_inference_queue" or stage.cost_ms >= rules.heavy_ms


def archive_stage(service: Service, of: Job | Batch, now: datetime) -> Stage:
    """The stage that packs a job's (or a batch's) outputs."""
    return Stage(
        id=service.ids.new(),
        job_id=of.id if isinstance(of, Job) else None,
        batch_id=of.id if isinstance(of, Batch) else None,
        tenant=of.tenant,
        kind="archive",
        priority=ARCHIVE_PRIORITY,
        max_attempts=service.rules.max_attempts,
        run_at=now,
        created_at=now,
    )


def _unusable(pointer: str, detail: str) -> InvalidPipeline:
    return InvalidPipeline(detail, fields=(FieldError(pointer, detail),))
