"""What this deployment can do: the declarations ∩ what its workers have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pixtools.domain.errors import FieldError, InvalidPipeline
from pixtools.domain.formats import FORMATS, WRITABLE
from pixtools.domain.operations.actions import ACTIONS, Action, Picture
from pixtools.domain.pipeline import Pipeline
from pixtools.domain.plan import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What the workers said that they can do; `models` that denoise, the best first."""

    actions: frozenset[str]
    readable: frozenset[str]
    writable: frozenset[str]
    models: tuple[Model, ...] = ()


STANDARD = Capabilities(
    actions=frozenset(ACTIONS) - {"denoise"},
    readable=frozenset(FORMATS) - {"heic"},
    writable=frozenset(WRITABLE),
)
"""What the libvips of the Python wheel does, without any extra or network."""


def check_offered(
    pipeline: Pipeline, have: Capabilities, *, pointer: str = "/pipeline"
) -> None:
    """Raise InvalidPipeline for a step that no worker here can run."""
    for index, step in enumerate(pipeline.steps):
        at = f"{pointer}/{index}"
        if step.action not in have.actions:
            raise _not_offered(f"{at}/action", f"the action {step.action}", have)
        if isinstance(step, Picture):
            _check_denoising(step, have, at)
            if step.format and step.format not in have.writable:
                raise _not_offered(f"{at}/format", f"the format {step.format}", have)


def catalogue(have: Capabilities) -> dict[str, Any]:
    """Actions as JSON Schema and formats with their properties, for any client."""
    actions = {
        name: _schema(kind, have)
        for name, kind in ACTIONS.items()
        if name in have.actions
    }
    return {"actions": actions, "formats": [_format(name, have) for name in FORMATS]}


def _check_denoising(step: Picture, have: Capabilities, at: str) -> None:
    if step.denoising is None:
        return
    inside = "" if step.action == "denoise" else "/denoise"
    if "denoise" not in have.actions:
        raise _not_offered(f"{at}{inside}", "denoise", have)
    model = step.denoising.model
    if model is not None and model not in have.models:
        text = f"This deployment does not offer the model {model} to denoise; "
        text += f"it offers {', '.join(have.models) or 'none'}."
        raise InvalidPipeline(text, fields=(FieldError(f"{at}{inside}/model", text),))


def _schema(kind: type[Action], have: Capabilities) -> dict[str, Any]:
    """An action's declaration, without words that nobody here would understand."""
    schema = kind.model_json_schema()
    if "denoise" not in have.actions:
        schema["properties"].pop("denoise", None)
        schema.get("$defs", {}).pop("Denoising", None)
    for group in (schema, *schema.get("$defs", {}).values()):
        for branch in group.get("properties", {}).get("model", {}).get("anyOf", ()):
            if "enum" in branch:
                branch["enum"] = list(have.models)
    return schema


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
