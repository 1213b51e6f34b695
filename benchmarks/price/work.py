"""What is asked of the service and, the very same, of the engine without one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pixtools.domain.pipeline import Pipeline
from pixtools.domain.plan import RenderPlan
from pixtools.domain.presets import preset_named


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One kind of job: a photo of `sources`, and the form fields beside it."""

    name: str
    title: str
    picture: str
    fields: Mapping[str, str]

    @property
    def plan(self) -> RenderPlan:
        """What the pixel child is told to make of it."""
        if "preset" in self.fields:
            pipeline = preset_named(self.fields["preset"]).pipeline
        else:
            pipeline = Pipeline.parse(json.loads(self.fields["pipeline"]))
        return pipeline.plan("jpg")


def _steps(*steps: Mapping[str, object]) -> dict[str, str]:
    return {"pipeline": json.dumps(steps)}


def _within(side: int, kind: str) -> dict[str, object]:
    return {"id": kind, "action": "resize", "width": side, "format": kind}


GALLERY: Final = Work(
    name="gallery",
    title="gallery of 12 MP",
    picture="12mp",
    fields={"preset": "gallery"},
)
PAIR: Final = Work(
    name="pair",
    title="12 MP → PNG + WebP at 1024",
    picture="12mp",
    fields=_steps(_within(1024, "png"), _within(1024, "webp")),
)
WEBP: Final = Work(
    name="webp",
    title="2 MP → WebP",
    picture="2mp",
    fields=_steps({"id": "webp", "action": "convert", "format": "webp"}),
)
SMOKE: Final = Work(
    name="smoke", title="smoke test", picture="small", fields={"preset": "gallery"}
)

WORKS: Final = (GALLERY, PAIR, WEBP)
