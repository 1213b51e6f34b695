"""How large an output is, and which part of the photo it shows."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BeforeValidator, model_validator
from pydantic_core import PydanticCustomError

from pixtools.domain.option import Declared, option
from pixtools.domain.plan import Box, Fit, Gravity

LONGEST_SIDE = 32_768


def _one_spelling(gravity: object) -> object:
    return "centre" if gravity == "center" else gravity


AnyGravity = Annotated[Gravity, BeforeValidator(_one_spelling)]


class Geometry(Declared):
    """Options that every action which makes a picture shares."""

    width: int | None = option(
        None,
        ge=1,
        le=LONGEST_SIDE,
        unit="px",
        control="number",
        help="Width to fit; without a height, the height follows.",
    )
    height: int | None = option(
        None,
        ge=1,
        le=LONGEST_SIDE,
        unit="px",
        control="number",
        help="Height to fit; without a width, the width follows.",
    )
    fit: Fit = option(
        "inside",
        control="select",
        help="How width and height are met: inside keeps all and never distorts, "
        "cover fills and crops, contain pads, fill stretches, outside is at least.",
    )
    gravity: AnyGravity = option(
        "centre",
        control="gravity",
        help="Which part a crop keeps, or where padding leaves the picture.",
    )
    enlarge: bool = option(
        False, control="switch", help="Allow an output larger than the source."
    )

    @model_validator(mode="after")
    def _fit_has_both_sides(self) -> Self:
        if self.fit != "inside" and (self.width is None or self.height is None):
            raise PydanticCustomError(
                "fit_needs_both_sides",
                "Expected both width and height for fit={fit}.",
                {"fit": self.fit, "field": "fit"},
            )
        return self

    def box(self) -> Box | None:
        """The size asked for, or None where the source's size is kept."""
        if self.width is None and self.height is None:
            return None
        return Box(
            width=self.width,
            height=self.height,
            fit=self.fit,
            gravity=self.gravity,
            enlarge=self.enlarge,
        )
