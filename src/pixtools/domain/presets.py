"""Pipelines that the server holds under a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pixtools.domain.errors import FieldError, InvalidPipeline
from pixtools.domain.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class Preset:
    """A named pipeline."""

    name: str
    help: str
    pipeline: Pipeline


def _gallery() -> Preset:
    def side(name: str, pixels: int) -> dict[str, object]:
        size = {"width": pixels, "height": pixels, "format": "jpg", "quality": 80}
        return {"id": name, "action": "resize", **size}

    steps = [side("large", 2048), side("medium", 1024), side("small", 512)]
    steps.append({**side("thumbnail", 200), "fit": "cover"})
    text = "2048, 1024 and 512 px on the longest side and a 200×200 thumbnail."
    return Preset("gallery", text, Pipeline.parse(steps))


PRESETS: Final[dict[str, Preset]] = {preset.name: preset for preset in (_gallery(),)}


def preset_named(name: str) -> Preset:
    """Look a preset up; raises InvalidPipeline that lists the names there are."""
    if name not in PRESETS:
        known = ", ".join(PRESETS)
        detail = f"Expected a preset ({known}) but received {name!r}."
        raise InvalidPipeline(detail, fields=(FieldError("/preset", detail),))
    return PRESETS[name]
