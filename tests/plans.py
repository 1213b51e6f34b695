"""Plans for the engine, and what comes out of them."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict, Unpack

from pixtools.domain.formats import FORMATS
from pixtools.domain.plan import (
    Box,
    Colour,
    Encode,
    Fit,
    Gravity,
    KeepMetadata,
    Mark,
    OutputPlan,
    RenderPlan,
)
from pixtools.domain.report import OutputFacts
from pixtools.engine import render


class Options(TypedDict, total=False):
    """Options of an output, flat, as a client gives them."""

    width: int
    height: int
    fit: Fit
    gravity: Gravity
    enlarge: bool
    quality: int
    lossless: bool
    effort: int
    max_bytes: int
    background: Colour
    keep_metadata: KeepMetadata
    never_larger: bool
    animated: bool
    mark: Mark


_BOX = ("width", "height", "fit", "gravity", "enlarge")


def output(
    format: str = "png", id: str = "out", **options: Unpack[Options]
) -> OutputPlan:
    """One output, its defaults filled in as the domain fills them."""
    kind = FORMATS[format]
    box = {key: value for key, value in options.items() if key in _BOX}
    rest = {k: v for k, v in options.items() if k not in _BOX and k != "mark"}
    if kind.lossy and not options.get("lossless"):
        rest.setdefault("quality", kind.quality)
    rest.setdefault("effort", kind.effort)
    return OutputPlan(
        id=id,
        action="resize" if box else "convert",
        box=Box(**box) if box else None,  # type: ignore[arg-type]  # picked by name
        mark=options.get("mark"),
        encode=Encode(format=format, **rest),  # type: ignore[arg-type]  # likewise
    )


def plan(*outputs: OutputPlan, metadata: bool = False) -> RenderPlan:
    """A plan of these outputs."""
    return RenderPlan(outputs=outputs, metadata=metadata)


def made(
    source: Path, scratch: Path, format: str = "png", **options: Unpack[Options]
) -> tuple[OutputFacts, Path]:
    """Make one output; gives its facts and its file. Fails where it failed."""
    report = render(source, plan(output(format, **options)), scratch)
    assert report.failures == ()
    (facts,) = report.outputs
    return facts, scratch / facts.file
