"""Hypothesis strategies: any pipeline that a client may send."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from pixtools.domain.formats import FORMATS, WRITABLE

ANCHORS = [
    "northwest", "north", "northeast", "west", "centre", "east",
    "southwest", "south", "southeast",
]  # fmt: skip
COLOURS = ["white", "#123456", "rgb(1, 2, 3)", "#ffcc0080", "transparent"]
SIDES = st.integers(1, 300)


@st.composite
def steps(draw: st.DrawFn, *, source_format: str = "jpg") -> dict[str, Any]:
    """One step without its id that every check lets pass."""
    action = draw(st.sampled_from(["convert", "resize", "watermark", "metadata"]))
    if action == "metadata":
        return {"action": action}
    step: dict[str, Any] = {"action": action}
    if action == "convert" or draw(st.booleans()):
        step["format"] = draw(st.sampled_from(WRITABLE))
    step |= draw(_geometry(required=action == "resize"))
    step |= draw(_encoding(step.get("format", source_format)))
    if action == "watermark":
        step["watermark"] = draw(marks())
    return step


def marks() -> st.SearchStrategy[dict[str, Any]]:
    """A text watermark."""
    return st.fixed_dictionaries(
        {"text": st.text(min_size=1, max_size=20)},
        optional={
            "opacity": st.floats(0, 1),
            "gravity": st.sampled_from(ANCHORS),
            "size": st.floats(0.01, 1),
            "margin": st.floats(0, 0.5),
            "color": st.sampled_from(COLOURS),
            "tile": st.booleans(),
        },
    )


def pipelines(*, source_format: str = "jpg") -> st.SearchStrategy[list[dict[str, Any]]]:
    """One to five steps with ids of their own."""
    return st.lists(steps(source_format=source_format), min_size=1, max_size=5).map(
        lambda found: [{"id": f"s{at}", **step} for at, step in enumerate(found)]
    )


@st.composite
def _geometry(draw: st.DrawFn, *, required: bool) -> dict[str, Any]:
    if not required and draw(st.booleans()):
        return {}
    sides = draw(st.sampled_from([("width",), ("height",), ("width", "height")]))
    found: dict[str, Any] = {side: draw(SIDES) for side in sides}
    if len(sides) == 2:
        fits = ["inside", "cover", "contain", "fill", "outside"]
        found["fit"] = draw(st.sampled_from(fits))
    if draw(st.booleans()):
        found["gravity"] = draw(st.sampled_from([*ANCHORS, "attention", "entropy"]))
    if draw(st.booleans()):
        found["enlarge"] = draw(st.booleans())
    return found


@st.composite
def _encoding(draw: st.DrawFn, name: str) -> dict[str, Any]:
    kind = FORMATS[name]
    found: dict[str, Any] = {}
    if kind.lossless and kind.name != "avif" and draw(st.booleans()):
        found["lossless"] = True
    elif kind.lossy and draw(st.booleans()):
        found["quality"] = draw(st.integers(1, 100))
    if draw(st.booleans()):
        found["background"] = draw(st.sampled_from(COLOURS))
    if kind.animation and draw(st.booleans()):
        found["animated"] = True
    if draw(st.booleans()):
        found["keep_metadata"] = draw(st.sampled_from(["none", "copyright", "all"]))
    if draw(st.booleans()):
        found["never_larger"] = True
    return found
