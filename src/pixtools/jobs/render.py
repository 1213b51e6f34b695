"""The picture stage: source in, outputs and facts out."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from pixtools.domain.errors import InternalError, SourceMissing
from pixtools.domain.formats import FORMATS
from pixtools.domain.job import Job, Output, Problem, Stage
from pixtools.domain.keys import output_key
from pixtools.domain.pipeline import Pipeline
from pixtools.domain.plan import RenderPlan
from pixtools.domain.report import OutputFacts, Report
from pixtools.jobs.advance import Outcome, advance
from pixtools.jobs.archive import pack_ahead
from pixtools.jobs.claimed import Ended, Workplace
from pixtools.jobs.estimate import longest_seconds
from pixtools.jobs.ports.blobs import Blob
from pixtools.jobs.problems import problem_of
from pixtools.jobs.pulse import Pulse
from pixtools.jobs.service import Service
from pixtools.jobs.transfer import put
from pixtools.jobs.work import is_heavy

RENDERED: Final = 0.95
"""The share of a stage's progress that is pixels; the rest is putting files away."""


def render_stage(service: Service, stage: Stage, job: Job, place: Workplace) -> Ended:
    """Make a claimed stage's outputs; they stay at hand for what follows.

    Raises what the renderer, the store and the pulse raise; nothing of the stage is
    visible then. Outputs rest under keys that every attempt shares, so that a second
    run replaces what a first one left.
    """
    pulse = Pulse(service, stage, until=RENDERED)
    scratch = place.directory()
    original = service.blobs.fetch(job.source.key, scratch, etag=job.source.etag)
    pulse.again()
    plan = plan_of(stage, job)
    report = service.renderer.render(
        original,
        plan,
        scratch,
        assets=_assets(service, plan, scratch, pulse),
        limits=service.rules.limits,
        checkpoint=pulse,
        timeout=longest_seconds(service.rules.limits, _denoising(stage)),
        heavy=is_heavy(service.rules, stage),
    )
    made = {facts.id: scratch / facts.file for facts in report.outputs}
    outputs = _put_away(service, job, report, made, pulse)
    place.at_hand |= {o.key: made[o.id] for o in outputs.values() if o.key}
    outcome = _outcome(stage, job, plan, report, outputs)
    packed = pack_ahead(service, stage, job, outcome, place.at_hand, pulse)
    return pulse.insist(
        lambda: advance(service, stage, outcome, go_on=True, packed=packed)
    )


def plan_of(stage: Stage, job: Job) -> RenderPlan:
    """The part of a job's plan that this stage makes."""
    pipeline = Pipeline.parse(job.pipeline)
    plan = pipeline.plan(job.source.format or "")
    mine = frozenset(stage.step_ids)
    facts = any(s.action == "metadata" and s.id in mine for s in pipeline.steps)
    outputs = tuple(output for output in plan.outputs if output.id in mine)
    return replace(plan, outputs=outputs, metadata=facts)


def _denoising(stage: Stage) -> int:
    return stage.cost_ms if stage.kind == "denoise" else 0


def _assets(
    service: Service, plan: RenderPlan, directory: Path, pulse: Pulse
) -> Mapping[str, Path]:
    """Watermark images by their keys; one that is gone fails the outputs it marks."""
    keys = {o.mark.image for o in plan.outputs if o.mark and o.mark.image}
    found: dict[str, Path] = {}
    for number, key in enumerate(sorted(keys)):
        place = directory / f"asset-{number}"
        place.mkdir()
        with suppress(SourceMissing):
            found[key] = service.blobs.fetch(key, place)
        pulse.again()
    return found


def _put_away(
    service: Service,
    job: Job,
    report: Report,
    made: Mapping[str, Path],
    pulse: Pulse,
) -> dict[str, Output]:
    known = {output.id: output for output in job.outputs}
    done: dict[str, Output] = {}
    wanted = [facts for facts in report.outputs if facts.id in known]
    for left, facts in zip(range(len(wanted) - 1, -1, -1), wanted, strict=True):
        kind = FORMATS[facts.format]
        key = output_key(job.id, facts.id, kind.extension)
        blob = put(
            service.blobs, made[facts.id], key, kind.content_type, pulse, more=left > 0
        )
        done[facts.id] = _made(known[facts.id], facts, blob)
    for failure in report.failures:
        if failure.id in known:
            done[failure.id] = replace(
                known[failure.id],
                status="failed",
                duration_ms=failure.duration_ms,
                error=Problem(
                    code=failure.code,
                    detail=failure.detail,
                    retryable=failure.retryable,
                ),
            )
    return done


def _made(output: Output, facts: OutputFacts, blob: Blob) -> Output:
    return replace(
        output,
        status="succeeded",
        format=facts.format,
        width=facts.width,
        height=facts.height,
        bytes=blob.bytes,
        sha256=blob.sha256,
        key=blob.key,
        duration_ms=facts.duration_ms,
        noise_sigma=facts.noise_sigma,
        model=facts.model,
        skipped=facts.skipped,
        error=None,
    )


def _outcome(
    stage: Stage,
    job: Job,
    plan: RenderPlan,
    report: Report,
    outputs: Mapping[str, Output],
) -> Outcome:
    missing = problem_of(InternalError("The renderer did not tell about this output."))
    told = tuple(
        outputs.get(output.id) or replace(output, status="failed", error=missing)
        for output in job.outputs
        if output.id in stage.step_ids
    )
    return Outcome(
        status="succeeded",
        outputs=told,
        facts=report.metadata if plan.metadata else None,
        size=report.source.upright_size,
        compute_time_ms=report.cpu_ms,
    )
