"""Taking away what the camera added: noise."""

from __future__ import annotations

from pixtools.domain import plan
from pixtools.domain.option import Declared, option
from pixtools.domain.plan import Model


class Denoising(Declared):
    """Which network removes noise, and how much of it."""

    model: Model | None = option(
        None,
        control="select",
        help="Network: quality or fast; the best that is there if left out.",
    )
    strength: float = option(
        1.0,
        ge=0,
        le=1,
        step=0.05,
        control="slider",
        help="0 keeps the photo, 1 is all that the network removes.",
    )

    def planned(self) -> plan.Denoise:
        """The same wish as the engine wants it."""
        return plan.Denoise(model=self.model, strength=self.strength)
