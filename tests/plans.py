"""Plans for the engine, and what comes out of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pixtools.domain.formats import FORMATS
from pixtools.domain.plan import Box, Encode, OutputPlan, RenderPlan
from pixtools.domain.report import OutputFacts
from pixtools.engine import render

_BOX = ("width", "height", "fit", "gravity", "enlarge")


def output(format: str = "png", id: str = "out", **options: Any) -> OutputPlan:
    """One output, its defaults filled in as the domain fills them.

    `options` are those of Box and Encode, and `mark`.
    """
    kind = FORMATS[format]
    box = {key: options.pop(key) for key in _BOX if key in options}
    mark = options.pop("mark", None)
    if kind.lossy and not options.get("lossless"):
        options.setdefault("quality", kind.quality)
    options.setdefault("effort", kind.effort)
    return OutputPlan(
        id=id,
        action="resize" if box else "convert",
        box=Box(**box) if box else None,
        mark=mark,
        encode=Encode(format=format, **options),
    )


def plan(*outputs: OutputPlan, metadata: bool = False) -> RenderPlan:
    """A plan of these outputs."""
    return RenderPlan(outputs=outputs, metadata=metadata)


def made(
    source: Path, scratch: Path, format: str = "png", **options: Any
) -> tuple[OutputFacts, Path]:
    """Make one output; gives its facts and its file. Fails where it failed."""
    report = render(source, plan(output(format, **options)), scratch)
    assert report.failures == ()
    (facts,) = report.outputs
    return facts, scratch / facts.file
