"""Taking away what the camera added: noise."""

from __future__ import annotations

from pixtools.domain.option import Declared, option


class Denoising(Declared):
    """How strongly noise is removed."""

    strength: float | None = option(
        None,
        ge=0,
        le=1,
        step=0.05,
        control="slider",
        help="0 keeps the photo, 1 is all that the network removes; "
        "estimated from the photo if left out.",
    )
