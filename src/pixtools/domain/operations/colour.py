"""Colours as people write them: CSS names, hex, `rgb()` and `hsl()`."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError
from pydantic_extra_types.color import Color

from pixtools.domain.plan import Colour


@lru_cache(maxsize=256)
def rgba(written: str) -> Colour:
    """Turn a CSS colour into red, green, blue and alpha, each 0..255."""
    red, green, blue, *alpha = Color(written).as_rgb_tuple(alpha=True)
    return (red, green, blue, round(255 * (alpha[0] if alpha else 1)))


def _checked(written: str) -> str:
    try:
        rgba(written)
    except PydanticCustomError:
        raise PydanticCustomError(
            "colour",
            "Expected a CSS colour such as white or #ffcc00 but received {got}.",
            {"got": written},
        ) from None
    return written


CssColour = Annotated[str, AfterValidator(_checked)]
