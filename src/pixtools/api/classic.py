"""The PixTools face's words, as its clients have always written and read them."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, Field

from pixtools.api.bodies import canonical
from pixtools.api.uploads import wrong
from pixtools.domain.catalogue import Capabilities
from pixtools.domain.document import JobDocument
from pixtools.domain.errors import FieldError, InvalidPipeline, InvalidRequest
from pixtools.domain.formats import FORMATS
from pixtools.domain.job import Job, JobStatus
from pixtools.domain.operations.geometry import LONGEST_SIDE
from pixtools.domain.pipeline import Pipeline
from pixtools.domain.presets import PRESETS

CONVERSIONS: Final = ("jpg", "png", "webp", "avif")
OPERATIONS: Final = (*CONVERSIONS, "denoise", "metadata")
WITH_QUALITY: Final = ("jpg", "webp")
WITH_RESIZE: Final = (*CONVERSIONS, "denoise")

ClassicStatus = Literal[
    "PENDING", "PROCESSING", "COMPLETED", "FAILED", "COMPLETED_WEBHOOK_FAILED"
]
STATUS: Final[dict[JobStatus, ClassicStatus]] = {
    "created": "PENDING",
    "queued": "PENDING",
    "processing": "PROCESSING",
    "succeeded": "COMPLETED",
    "partial": "COMPLETED",
    "failed": "FAILED",
    "canceled": "FAILED",
}


class Accepted(BaseModel):
    """The answer to a photo that was taken in."""

    job_id: str
    status: ClassicStatus = "PENDING"


class ClassicJob(BaseModel):
    """A job as the PixTools face shows it."""

    job_id: str
    status: ClassicStatus
    operations: list[str]
    result_urls: dict[str, str] = Field(description="Download URL by operation.")
    archive_url: str | None
    metadata: dict[str, Any]
    error_message: str | None
    created_at: datetime
    expires_at: datetime | None = None


def parse_pipeline(
    operations: str | None, params: str | None, max_steps: int
) -> Pipeline:
    """Read the form's two JSON texts; InvalidRequest in this face's own words."""
    names = _operations(operations)
    options = _params(params)
    steps: list[dict[str, Any]] = []
    for name in names:
        if name in OPERATIONS:
            steps.append(_step(name, _options_of(name, options)))
        else:
            _options_of(name, options)
            steps.extend(_preset_steps(name))
    return Pipeline.parse(steps, pointer="/operations", max_steps=max_steps)


def check_offered(pipeline: Pipeline, have: Capabilities) -> None:
    """Refuse what no worker of this deployment can do."""
    for index, step in enumerate(pipeline.steps):
        if step.action not in have.actions:
            there = [
                name
                for name in OPERATIONS
                if name in have.actions or (name in have.writable)
            ]
            text = (
                f"Invalid operations: this deployment does not offer {step.action}; "
                f"it offers {', '.join(there)}"
            )
            at = FieldError(f"/operations/{index}", text)
            raise InvalidPipeline(text, fields=(at,))


def check_conversions(pipeline: Pipeline, source_format: str) -> None:
    """Refuse to convert a format into itself."""
    for index, step in enumerate(pipeline.steps):
        if step.action == "convert" and step.id == source_format:
            raise wrong(
                f"/operations/{index}",
                f"Cannot convert {step.id} to {step.id} - source and target formats "
                "are the same",
            )


def shown(job: Job, document: JobDocument) -> ClassicJob:
    """A job in this face's words."""
    ready = {
        output.id: output.url
        for output in document.outputs
        if output.url and output.status == "succeeded"
    }
    archive = document.archive
    return ClassicJob(
        job_id=document.job_id,
        status=_status(document),
        operations=[str(step["id"]) for step in job.pipeline],
        result_urls=ready,
        archive_url=archive.url if archive else None,
        metadata=document.metadata or {},
        error_message=_error_message(document),
        created_at=document.created_at,
        expires_at=document.expires_at,
    )


def _status(document: JobDocument) -> ClassicStatus:
    status = STATUS[document.status]
    webhook = document.webhook
    if status == "COMPLETED" and webhook and webhook.state == "failed":
        return "COMPLETED_WEBHOOK_FAILED"
    return status


def _error_message(document: JobDocument) -> str | None:
    if document.error:
        return document.error.detail
    if document.status == "canceled":
        return "The job was canceled."
    failed = [
        f"{output.id}: {output.error.detail}"
        for output in document.outputs
        if output.error
    ]
    return "; ".join(failed) or None


def _operations(text: str | None) -> list[str]:
    if text is None:
        raise wrong("/operations", "Expected a value for operations but received none.")
    try:
        names = _json(text)
    except ValueError as error:
        raise wrong("/operations", f"Invalid operations: {error}") from None
    if not isinstance(names, list):
        raise wrong("/operations", "Invalid operations: expected a JSON array")
    if not names:
        raise wrong("/operations", "At least one operation is required")
    for index, name in enumerate(names):
        if name not in OPERATIONS and not (isinstance(name, str) and name in PRESETS):
            known = ", ".join((*OPERATIONS, *PRESETS))
            received = canonical(name).decode()[:60]
            text = (
                f"Invalid operations: expected one of {known} but received {received}"
            )
            raise wrong(f"/operations/{index}", text)
    return list(dict.fromkeys(names))


def _params(text: str | None) -> dict[str, Any]:
    if text is None or not text.strip():
        return {}
    try:
        params = _json(text)
    except ValueError as error:
        detail = f"Invalid operation_params JSON: {error}"
        raise wrong("/operation_params", detail) from None
    if params is None:
        return {}
    if not isinstance(params, dict):
        detail = "operation_params must be a JSON object"
        raise wrong("/operation_params", detail)
    return params


def _json(text: str) -> Any:  # noqa: ANN401 - JSON
    try:
        value = json.loads(text)
        canonical(value)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def _options_of(name: str, params: dict[str, Any]) -> dict[str, Any]:
    """The step's options that an operation's parameters stand for."""
    given = params.get(name)
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise _bad(name, "", "must be an object")
    for unknown in given.keys() - {"quality", "resize"}:
        raise _bad(name, "", f"has no option {unknown[:60]!r}")
    return _quality(name, given.get("quality")) | _size(name, given.get("resize"))


def _quality(name: str, value: object) -> dict[str, Any]:
    if value is None:
        return {}
    if name not in WITH_QUALITY:
        raise _bad(name, ".quality", f"is only supported for {'/'.join(WITH_QUALITY)}")
    quality = _integer(name, ".quality", value)
    if not 1 <= quality <= 100:
        raise _bad(name, ".quality", "must be 1..100")
    return {"quality": quality}


def _size(name: str, value: object) -> dict[str, Any]:
    if value is None:
        return {}
    if name not in WITH_RESIZE:
        raise _bad(name, ".resize", f"is only supported for {'/'.join(WITH_RESIZE)}")
    if not isinstance(value, dict):
        raise _bad(name, ".resize", "must be an object")
    for unknown in value.keys() - {"width", "height"}:
        raise _bad(name, ".resize", f"has no option {unknown[:60]!r}")
    size: dict[str, Any] = {
        side: _side(name, side, value[side])
        for side in ("width", "height")
        if value.get(side) is not None
    }
    if not size:
        raise _bad(name, ".resize", "requires width or height")
    if len(size) == 2:
        # Clients of this face expect exactly the size that they gave.
        size |= {"fit": "fill", "enlarge": True}
    return size


def _side(name: str, side: str, value: object) -> int:
    pixels = _integer(name, f".resize.{side}", value)
    if pixels <= 0:
        raise _bad(name, f".resize.{side}", "must be > 0")
    if pixels > LONGEST_SIDE:
        raise _bad(name, f".resize.{side}", f"must be <= {LONGEST_SIDE}")
    return pixels


def _integer(name: str, what: str, value: object) -> int:
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d{1,9}\s*", value, re.ASCII):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise _bad(name, what, "must be an integer")


def _bad(name: str, what: str, must: str) -> InvalidRequest:
    pointer = f"/operation_params/{name}" + what.replace(".", "/")
    return wrong(pointer, f"operation_params['{name}']{what} {must}")


def _step(name: str, options: dict[str, Any]) -> dict[str, Any]:
    if name in FORMATS:
        return {"id": name, "action": "convert", "format": name, **options}
    return {"id": name, "action": name, **options}


def _preset_steps(name: str) -> list[dict[str, Any]]:
    steps = PRESETS[name].pipeline.canonical()
    return [{**steps[0], "id": name}] if len(steps) == 1 else steps
