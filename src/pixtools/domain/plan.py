"""What the engine is told to do: one source, one decode, all outputs.

Plain values with every default already filled in, so that a worker that only
decodes pixels needs neither pydantic nor a database. `domain.pipeline` makes
plans out of what a client asked; `to_json`/`from_json` carry them to a worker.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Fit = Literal["inside", "cover", "contain", "fill", "outside"]
Gravity = Literal[
    "northwest", "north", "northeast",
    "west", "centre", "east",
    "southwest", "south", "southeast",
    "attention", "entropy",
]  # fmt: skip
Model = Literal["quality", "fast"]
"""The networks that remove noise."""
Precision = Literal["auto", "int8", "float32"]
"""Numbers that a network is run with."""
KeepMetadata = Literal["none", "copyright", "all"]
Colour = tuple[int, int, int, int]
"""Red, green, blue, alpha, each 0..255."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """The size asked for, in pixels; a missing side follows the aspect ratio."""

    width: int | None = None
    height: int | None = None
    fit: Fit = "inside"
    gravity: Gravity = "centre"
    enlarge: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A watermark: either `text`, or `image`, an asset name known to the caller.

    `size` is the mark's width as a fraction of the output's, `margin` its
    distance from the edges as a fraction of the output's shorter side.
    """

    text: str | None = None
    image: str | None = None
    opacity: float = 0.65
    gravity: Gravity = "southeast"
    size: float = 0.25
    colour: Colour = (255, 255, 255, 255)
    margin: float = 0.02
    tile: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Encode:
    """How an output is written. `quality` is None for formats without the dial."""

    format: str
    quality: int | None = None
    lossless: bool = False
    effort: int | None = None
    max_bytes: int | None = None
    background: Colour = (255, 255, 255, 255)
    keep_metadata: KeepMetadata = "none"
    never_larger: bool = False
    animated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Denoise:
    """Noise to remove. `model` None is the best one there is.

    `strength` 0..1 blends the photo with what the network makes of it.
    """

    model: Model | None = None
    strength: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputPlan:
    """One file to make from the source: size, noise, watermark, encoding."""

    id: str
    action: str
    encode: Encode
    box: Box | None = None
    mark: Mark | None = None
    denoise: Denoise | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderPlan:
    """All that is wanted of one source: files, and its facts if `metadata`."""

    outputs: tuple[OutputPlan, ...] = ()
    metadata: bool = False


def to_json(plan: RenderPlan) -> dict[str, Any]:
    """Turn a plan into JSON-ready values."""
    return asdict(plan)


def from_json(value: dict[str, Any]) -> RenderPlan:
    """Read back what `to_json` wrote."""
    outputs = tuple(_output(item) for item in value["outputs"])
    return RenderPlan(outputs=outputs, metadata=value["metadata"])


def _output(value: dict[str, Any]) -> OutputPlan:
    box, mark, encode = value["box"], value["mark"], value["encode"]
    denoise = value["denoise"]
    return OutputPlan(
        id=value["id"],
        action=value["action"],
        box=Box(**box) if box else None,
        mark=Mark(**{**mark, "colour": tuple(mark["colour"])}) if mark else None,
        denoise=Denoise(**denoise) if denoise else None,
        encode=Encode(**{**encode, "background": tuple(encode["background"])}),
    )
