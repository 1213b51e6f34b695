"""What is drawn on top of a photo."""

from __future__ import annotations

from typing import Annotated, Literal, Self, cast

from pydantic import BeforeValidator, model_validator
from pydantic_core import PydanticCustomError

from pixtools.domain.operations.colour import CssColour, rgba
from pixtools.domain.option import Declared, option
from pixtools.domain.plan import Gravity, Mark

Anchor = Literal[
    "northwest", "north", "northeast",
    "west", "centre", "east",
    "southwest", "south", "southeast",
]  # fmt: skip


def _one_spelling(gravity: object) -> object:
    return "centre" if gravity == "center" else gravity


class Watermark(Declared):
    """A text or an image that marks whose photo it is."""

    text: str | None = option(
        None,
        min_length=1,
        max_length=200,
        control="text",
        help="Text to draw, in any script that the bundled font covers.",
    )
    image: str | None = option(
        None,
        min_length=1,
        max_length=1024,
        control="text",
        help="Object key (or file, on the command line) of an image to draw.",
    )
    opacity: float = option(
        0.65, ge=0, le=1, step=0.05, control="slider", help="0 is invisible, 1 solid."
    )
    gravity: Annotated[Anchor, BeforeValidator(_one_spelling)] = option(
        "southeast", control="gravity", help="Corner, edge or centre to draw at."
    )
    size: float = option(
        0.25,
        ge=0.01,
        le=1,
        step=0.01,
        control="slider",
        help="Width of the mark as a fraction of the picture's width.",
    )
    color: CssColour = option(
        "white", max_length=64, control="colour", help="Colour of the text."
    )
    margin: float = option(
        0.02,
        ge=0,
        le=0.5,
        step=0.01,
        control="slider",
        help="Distance from the edge as a fraction of the shorter side.",
    )
    tile: bool = option(
        False, control="switch", help="Repeat the mark over the whole picture."
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.text is None) == (self.image is None):
            raise PydanticCustomError(
                "one_mark",
                "Expected either text or image for watermark but received {got}.",
                {"got": "both" if self.text else "neither", "field": "text"},
            )
        return self

    def mark(self) -> Mark:
        """The same watermark as the engine wants it."""
        return Mark(
            text=self.text,
            image=self.image,
            opacity=self.opacity,
            gravity=cast("Gravity", self.gravity),
            size=self.size,
            colour=rgba(self.color),
            margin=self.margin,
            tile=self.tile,
        )
