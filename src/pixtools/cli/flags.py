"""Command line flags for actions, derived from their declarations.

A command that makes pictures is a function `f(ctx, **flags)`; `with_picture_flags`
gives it a signature with one flag for each option that the domain declares, so
that names, ranges, defaults and help stand in one place only.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic.fields import FieldInfo
from typer.models import OptionInfo

from pixtools.domain.errors import FieldError, InvalidPipeline
from pixtools.domain.formats import WRITABLE, canonical_name
from pixtools.domain.operations.actions import Denoise, Picture
from pixtools.domain.operations.overlay import Watermark
from pixtools.domain.operations.restore import Denoising
from pixtools.domain.pipeline import Pipeline
from pixtools.domain.presets import preset_named

NOT_A_FLAG = frozenset({"id", "action", "format", "watermark", "denoise"})
SIZES = "Size and shape"
ENCODING = "Encoding"
NOISE = "Noise"
MARKS = "Watermark"
LONGEST_METAVAR = 24
SIZE_FLAGS = frozenset({"width", "height", "fit", "gravity", "enlarge"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What the flags of one call ask for."""

    pipeline: Pipeline
    by_format: bool
    """Outputs differ by format alone, so `photo.webp` names one well enough."""


def with_picture_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Replace `**picture` of a command by one parameter for each declared option."""
    own = inspect.signature(command, eval_str=True)
    named = [
        parameter
        for parameter in own.parameters.values()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    parameters = [
        *named,
        *_flags(Picture),
        _switch("denoise", Denoise.__doc__ or "", NOISE),
        *_flags(Denoising, panel=NOISE),
        *_flags(Watermark, "watermark_", MARKS),
    ]
    command.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]  # read by Typer
    return command


def asked(
    *,
    to: str | None,
    preset: str | None,
    pipeline: Path | None,
    metadata: bool,
    picture: Mapping[str, Any],
) -> Asked:
    """Build the pipeline that `--to`, `--preset` or `--pipeline` and the flags name.

    Raises InvalidPipeline with one sentence if they contradict each other.
    """
    given = {name: value for name, value in picture.items() if _is_given(value)}
    if sum(source is not None for source in (to, preset, pipeline)) > 1:
        raise InvalidPipeline("Expected one of --to, --preset and --pipeline.")
    if preset or pipeline:
        if given:
            name = next(iter(given)).replace("_", "-")
            raise InvalidPipeline(f"--{name} does not mix with a preset or pipeline.")
        steps = _steps_of(preset, pipeline)
    else:
        steps = _steps_for(to, given)
    if metadata and all(step.get("action") != "metadata" for step in steps):
        steps = [*steps, {"id": "metadata", "action": "metadata"}]
    if not steps:
        raise InvalidPipeline("Nothing to do: name a format (--to webp) or --preset.")
    return Asked(Pipeline.parse(steps), by_format=not (preset or pipeline))


def _steps_of(preset: str | None, pipeline: Path | None) -> list[dict[str, Any]]:
    if preset:
        return preset_named(preset).pipeline.canonical()
    try:
        steps = json.loads((pipeline or Path()).read_text())
    except (OSError, ValueError) as error:
        raise InvalidPipeline(f"{pipeline} can't be read as JSON: {error}") from None
    if not isinstance(steps, list):
        raise InvalidPipeline(f"Expected a JSON list of steps in {pipeline}.")
    return steps


def _steps_for(to: str | None, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One step for each format of `--to`; sized steps resize, the others convert."""
    options = {k: v for k, v in given.items() if not k.startswith("watermark_")}
    mark = {
        k.removeprefix("watermark_"): v
        for k, v in given.items()
        if k.startswith("watermark_")
    }
    if mark:
        options["watermark"] = mark
    noise = _noise(options)
    if to is None:
        if noise is not None:
            return [{"id": "result", "action": "denoise", **options, **noise}]
        if not options:
            return []
        return [{"id": "result", "action": _action(options), **options}]
    if noise is not None:
        options["denoise"] = noise
    return [
        {"id": name, "action": _action(options, to=True), "format": name, **options}
        for name in _formats(to)
    ]


def _noise(options: dict[str, Any]) -> dict[str, Any] | None:
    """Take out how noise is to be removed; None if it is not."""
    wanted = options.pop("denoise", False)
    noise = {
        name: options.pop(name) for name in Denoising.model_fields if name in options
    }
    if noise and not wanted:
        raise InvalidPipeline(f"--{next(iter(noise))} needs --denoise.")
    return noise if wanted else None


def _action(options: Mapping[str, Any], *, to: bool = False) -> str:
    if "width" in options or "height" in options:
        return "resize"
    return "convert" if to or "watermark" not in options else "watermark"


def _formats(to: str) -> list[str]:
    names = [
        str(canonical_name(part.strip())) for part in to.split(",") if part.strip()
    ]
    for name in names:
        if name not in WRITABLE:
            text = f"Expected {', '.join(WRITABLE)} for --to but received {name!r}."
            raise InvalidPipeline(text, fields=(FieldError("--to", text),))
    return list(dict.fromkeys(names))


def _is_given(value: object) -> bool:
    return value is not None and value is not False


def _switch(name: str, help: str, panel: str) -> inspect.Parameter:
    info = typer.Option(
        f"--{name}", help=help, show_default=False, rich_help_panel=panel
    )
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=False,
        annotation=Annotated[bool, info],
    )


def _flags(
    kind: type[Any], prefix: str = "", panel: str | None = None
) -> list[inspect.Parameter]:
    fields: Mapping[str, FieldInfo] = kind.model_fields
    return [
        inspect.Parameter(
            prefix + name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[_type(field), _info(prefix, name, field, panel)],
        )
        for name, field in fields.items()
        if name not in NOT_A_FLAG
    ]


def _info(prefix: str, name: str, field: FieldInfo, panel: str | None) -> OptionInfo:
    bounds = {
        bound: getattr(rule, bound)
        for rule in field.metadata
        for bound in ("ge", "le")
        if getattr(rule, bound, None) is not None
    }
    flag = "--" + (prefix + name).replace("_", "-")
    info: OptionInfo = typer.Option(
        flag,
        help=_help(field),
        min=bounds.get("ge"),
        max=bounds.get("le"),
        metavar=_metavar(field, bounds),
        show_default=False,
        rich_help_panel=panel or (SIZES if name in SIZE_FLAGS else ENCODING),
    )
    return info


def _metavar(field: FieldInfo, bounds: Mapping[str, float]) -> str | None:
    """What stands for the value: a range, or the few words that it may be."""
    base = _unwrapped(field.annotation)
    if base is bool:
        return None
    if get_origin(base) is Literal:
        words = "|".join(get_args(base))
        return words if len(words) <= LONGEST_METAVAR else "WORD"
    return "N" if bounds else "TEXT"


def _help(field: FieldInfo) -> str:
    text = field.description or ""
    base = _unwrapped(field.annotation)
    if get_origin(base) is Literal and _metavar(field, {}) == "WORD":
        text += f" One of {', '.join(get_args(base))}."
    plain = field.default not in (None, False)
    return f"{text} [dim]\\[default: {field.default}][/dim]" if plain else text


def _type(field: FieldInfo) -> Any:  # noqa: ANN401 - a type, made at run time
    """The flag's type: choices as a Literal, everything optional, switches as bool."""
    base = _unwrapped(field.annotation)
    return bool if base is bool else base | None


def _unwrapped(annotation: Any) -> Any:  # noqa: ANN401 - any annotation
    origin = get_origin(annotation)
    if origin is Annotated:
        return _unwrapped(get_args(annotation)[0])
    if origin is Literal:
        return annotation
    if (
        origin is Union
        or origin.__class__.__name__ == "UnionType"
        or origin is not None
    ):
        kinds = [arg for arg in get_args(annotation) if arg is not type(None)]
        return _unwrapped(kinds[0])
    return annotation
