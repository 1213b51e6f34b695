"""The answer to a dry run: cost, plan and limits of a job that nobody has taken on."""

from __future__ import annotations

from typing import Final, Literal

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field

from pixtools.domain.document import ProblemDocument
from pixtools.domain.formats import FORMATS
from pixtools.domain.job import Lane, Source, Stage, StageKind
from pixtools.jobs.dry_run import Forecast, PlannedOutput, dry_run
from pixtools.jobs.orders import Order
from pixtools.jobs.service import Service
from pixtools.jobs.work import is_heavy

PHOTO: Final = "Worked out for this photo; times are good to a factor of two."
OPTIONS: Final = (
    "The photo is not known yet: what depends on it is null, and example tells the "
    "cost for a usual one."
)


class _Told(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class PhotoDocument(_Told):
    """A photo, as its header tells it; sizes are upright, in bytes and pixels."""

    format: str
    width: int
    height: int
    bytes: int | None = None


class CostDocument(_Told):
    """About what the job takes."""

    compute_time_ms: int = Field(description="Milliseconds of one core.")
    pixels_processed: int = Field(description="Pixels of all outputs.")
    decoded_bytes: int = Field(description="The photo's pixels, at four bytes each.")


class ExampleDocument(BaseModel):
    """A usual photo, and what the job would take for it."""

    source: PhotoDocument
    cost: CostDocument


class PlannedDocument(_Told):
    """A file that would be made. `error` says why it could not."""

    id: str
    action: str
    lane: Lane
    format: str | None
    content_type: str | None
    width: int | None
    height: int | None
    error: ProblemDocument | None


class StageDocument(_Told):
    """Steps that one worker does in one go."""

    kind: StageKind
    lane: Lane
    steps: list[str]
    heavy: bool = Field(description="Heavy ones never take all workers at once.")
    compute_time_ms: int | None


class PlanDocument(BaseModel):
    """What would be made, where."""

    outputs: list[PlannedDocument]
    stages: list[StageDocument]
    archive: bool = Field(description="Whether a ZIP would follow.")
    metadata: bool = Field(description="Whether facts would be read.")


class LimitDocument(_Told):
    """A limit of `/v1/limits`, and how much of it the job would take."""

    name: str
    limit: int | float
    used: int | float | None


class DryRunDocument(BaseModel):
    """What a job would cost and make. Nothing was stored."""

    dry_run: Literal[True] = True
    basis: Literal["photo", "options"] = Field(
        description="What is known: the photo, or only what was asked of it."
    )
    note: str
    source: PhotoDocument | None
    cost: CostDocument | None
    example: ExampleDocument | None
    plan: PlanDocument
    limits: list[LimitDocument]


def foreseen(service: Service, order: Order, source: Source) -> Response:
    """The answer to a dry run of an order; raises what `dry_run` raises."""
    document = _document(service, order, dry_run(service, order, source))
    return Response(
        document.model_dump_json(),
        headers={"Cache-Control": "no-store"},
        media_type="application/json",
    )


def _document(service: Service, order: Order, found: Forecast) -> DryRunDocument:
    known = found.source is not None
    return DryRunDocument(
        basis="photo" if known else "options",
        note=PHOTO if known else OPTIONS,
        source=_photo(found.source),
        cost=_cost(found.cost),
        example=_example(found),
        plan=PlanDocument(
            outputs=[_output(output) for output in found.outputs],
            stages=[_stage(service, each, known=known) for each in found.stages],
            archive=order.archive and bool(found.outputs),
            metadata=order.pipeline.wants_metadata,
        ),
        limits=[LimitDocument.model_validate(limit) for limit in found.limits],
    )


def _photo(source: Source | None) -> PhotoDocument | None:
    return PhotoDocument.model_validate(source) if source else None


def _cost(cost: object) -> CostDocument | None:
    return CostDocument.model_validate(cost) if cost else None


def _example(found: Forecast) -> ExampleDocument | None:
    source, cost = _photo(found.example), _cost(found.example_cost)
    return ExampleDocument(source=source, cost=cost) if source and cost else None


def _output(output: PlannedOutput) -> PlannedDocument:
    kind = FORMATS.get(output.format or "")
    error = output.error and ProblemDocument(
        code=output.error.code, detail=output.error.detail
    )
    return PlannedDocument(
        id=output.id,
        action=output.action,
        lane=output.lane,
        format=output.format,
        content_type=kind.content_type if kind else None,
        width=output.width,
        height=output.height,
        error=error,
    )


def _stage(service: Service, stage: Stage, *, known: bool) -> StageDocument:
    return StageDocument(
        kind=stage.kind,
        lane=stage.lane,
        steps=list(stage.step_ids),
        heavy=is_heavy(service.rules, stage),
        compute_time_ms=stage.cost_ms if known else None,
    )
