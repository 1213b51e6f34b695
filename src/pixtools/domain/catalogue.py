"""What this deployment can do: the declarations ∩ what its workers have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pixtools.domain.errors import FieldError, InvalidPipeline
from pixtools.domain.formats import FORMATS, WRITABLE
from pixtools.domain.operations.actions import ACTIONS, Picture
from pixtools.domain.pipeline import Pipeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What the workers said that they can do."""

    actions: frozenset[str]
    readable: frozenset[str]
    writable: frozenset[str]


STANDARD = Capabilities(
    actions=frozenset(ACTIONS) - {"denoise"},
    readable=frozenset(FORMATS) - {"heic"},
    writable=frozenset(WRITABLE),
)
"""What the libvips of the Python wheel does, without any extra."""


def check_offered(
    pipeline: Pipeline, have: Capabilities, *, pointer: str = "/pipeline"
) -> None:
    """Raise InvalidPipeline for a step that no worker here can run."""
    for index, step in enumerate(pipeline.steps):
        at = f"{pointer}/{index}"
        if step.action not in have.actions:
            raise _not_offered(f"{at}/action", f"the action {step.action}", have)
        if isinstance(step, Picture):
            if step.wants_denoise and "denoise" not in have.actions:
                raise _not_offered(f"{at}/denoise", "denoise", have)
            if step.format and step.format not in have.writable:
                raise _not_offered(f"{at}/format", f"the format {step.format}", have)


def catalogue(have: Capabilities) -> dict[str, Any]:
    """Actions as JSON Schema and formats with their properties, for any client."""
    actions = {
        name: kind.model_json_schema()
        for name, kind in ACTIONS.items()
        if name in have.actions
    }
    return {"actions": actions, "formats": [_format(name, have) for name in FORMATS]}


def _format(name: str, have: Capabilities) -> dict[str, Any]:
    kind = FORMATS[name]
    return {
        "name": kind.name,
        "title": kind.title,
        "content_type": kind.content_type,
        "extension": kind.extension,
        "reads": name in have.readable,
        "writes": name in have.writable,
        "alpha": kind.alpha,
        "animation": kind.animation,
        "lossy": kind.lossy,
        "lossless": kind.lossless,
        "max_side": kind.max_side,
        "default_quality": kind.quality,
        "default_effort": kind.effort,
        "effort_range": kind.effort_range,
    }


def _not_offered(at: str, what: str, have: Capabilities) -> InvalidPipeline:
    names = ", ".join(sorted(have.actions))
    detail = f"This deployment does not offer {what}; it offers {names}."
    return InvalidPipeline(detail, fields=(FieldError(at, detail),))
