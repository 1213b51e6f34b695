"""A pipeline: the list of steps that a client asks of one source."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pixtools.domain.errors import FieldError, InvalidPipeline
from pixtools.domain.explain import field_errors
from pixtools.domain.formats import FORMATS, Format
from pixtools.domain.operations.actions import Denoise, Picture, ReadMetadata, Step
from pixtools.domain.operations.colour import rgba
from pixtools.domain.plan import Encode, OutputPlan, RenderPlan

_STEPS: TypeAdapter[list[Step]] = TypeAdapter(list[Step])


class Pipeline:
    """Checked steps, each with its own id. Make one with `Pipeline.parse`."""

    __slots__ = ("_planned", "steps")

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps: tuple[Step, ...] = tuple(steps)
        self._planned: tuple[str, RenderPlan] | None = None

    @classmethod
    def parse(
        cls,
        steps: object,
        *,
        pointer: str = "/pipeline",
        max_steps: int | None = None,
    ) -> Pipeline:
        """Check a client's steps; raises InvalidPipeline that names every field."""
        if isinstance(steps, Sequence) and max_steps and len(steps) > max_steps:
            raise _invalid(
                pointer,
                f"Expected at most {max_steps} steps but received {len(steps)}.",
            )
        try:
            parsed = _STEPS.validate_python(steps)
        except ValidationError as error:
            found = field_errors(error.errors(include_url=False), pointer)
            raise InvalidPipeline(_summary(found), fields=found) from None
        _check_ids(parsed, pointer)
        return cls(parsed)

    def canonical(self) -> list[dict[str, Any]]:
        """The steps as JSON-ready values, without what was left at its default."""
        return [
            {"id": step.id, "action": step.action}
            | step.model_dump(mode="json", exclude_defaults=True)
            for step in self.steps
        ]

    def digest(self) -> str:
        """SHA-256 of the canonical form: equal for pipelines that mean the same."""
        text = json.dumps(self.canonical(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The steps that make files."""
        return tuple(step for step in self.steps if isinstance(step, Picture))

    @property
    def wants_metadata(self) -> bool:
        """Whether a step asks for the source's facts."""
        return any(isinstance(step, ReadMetadata) for step in self.steps)

    def plan(self, source_format: str) -> RenderPlan:
        """Fill in every default for a source of this format.

        Raises InvalidPipeline where an option does not fit the format that a step
        turns out to write. The last plan is kept: taking a job on asks three times.
        """
        planned = self._planned
        if planned is None or planned[0] != source_format:
            planned = self._planned = source_format, self._plan(source_format)
        return planned[1]

    def _plan(self, source_format: str) -> RenderPlan:
        problems: list[FieldError] = []
        outputs: list[OutputPlan] = []
        for index, step in enumerate(self.steps):
            if not isinstance(step, Picture):
                continue
            at = f"/pipeline/{index}"
            found = check_encoding(step, source_format, at)
            problems.extend(found)
            if not found:
                outputs.append(output_plan(step, source_format))
        if problems:
            raise InvalidPipeline(_summary(problems), fields=tuple(problems))
        return RenderPlan(outputs=tuple(outputs), metadata=self.wants_metadata)


def output_plan(step: Picture, source_format: str) -> OutputPlan:
    """One step with its defaults filled in; the step must have been checked."""
    noise = step.denoising
    return OutputPlan(
        id=step.id,
        action=step.action,
        box=step.box(),
        mark=step.watermark.mark() if step.watermark else None,
        denoise=noise.planned() if noise else None,
        encode=_encode(step, FORMATS[step.format or source_format]),
    )


def check_encoding(step: Picture, source_format: str, at: str) -> list[FieldError]:
    """What of a step's encoding the written format does not have."""
    kind = FORMATS.get(step.format or source_format)
    if kind is None or not kind.writable:
        text = f"A {source_format} source can't be written back: name a format."
        return [FieldError(f"{at}/format", text)]
    lossy = kind.lossy and not step.lossless
    wrong = {
        "quality": step.quality is not None and not lossy,
        "max_bytes": step.max_bytes is not None and not lossy,
        "lossless": step.lossless and not kind.lossless,
        "effort": step.effort is not None and not _within(step.effort, kind),
        "animated": step.animated and not kind.animation,
    }
    return [
        FieldError(f"{at}/{name}", _not_here(name, kind, step))
        for name, bad in wrong.items()
        if bad
    ]


def _not_here(name: str, kind: Format, step: Picture) -> str:
    if name == "effort" and kind.effort_range:
        low, high = kind.effort_range
        expected = f"{low} to {high} for effort of {kind.name}"
        return f"Expected {expected} but received {step.effort}."
    if name in ("quality", "max_bytes"):
        return f"{name} is for lossy formats only, and this {kind.name} is not lossy."
    return f"{kind.title} has no option {name}."


def _within(effort: int, kind: Format) -> bool:
    return kind.effort_range is not None and (
        kind.effort_range[0] <= effort <= kind.effort_range[1]
    )


def _encode(step: Picture, kind: Format) -> Encode:
    lossy = kind.lossy and not step.lossless
    return Encode(
        format=kind.name,
        quality=(step.quality or kind.quality) if lossy else None,
        lossless=step.lossless,
        effort=kind.effort if step.effort is None else step.effort,
        max_bytes=step.max_bytes,
        background=rgba(step.background),
        keep_metadata=step.keep_metadata,
        never_larger=step.never_larger,
        animated=step.animated,
    )


def _check_ids(steps: Sequence[Step], pointer: str) -> None:
    if not steps:
        raise _invalid(pointer, "Expected at least one step but received none.")
    seen: Mapping[str, int] = {}
    for index, step in enumerate(steps):
        if step.id in seen:
            text = f"Expected a unique id for each step but {step.id!r} stands twice."
            raise _invalid(f"{pointer}/{index}/id", text)
        seen = {**seen, step.id: index}


def _invalid(pointer: str, detail: str) -> InvalidPipeline:
    return InvalidPipeline(detail, fields=(FieldError(pointer, detail),))


def _summary(found: Sequence[FieldError]) -> str:
    more = f" ({len(found) - 1} more)" if len(found) > 1 else ""
    return f"{found[0].pointer}: {found[0].detail}{more}"


__all__ = ["Denoise", "Pipeline", "check_encoding", "output_plan"]
