"""How strong the noise is that each eight-bit twin of a network is made for.

Channels that strong noise makes loud are quiet without it. Steps that are fine enough
for one picture and wide enough for the other would have to be finer than bytes allow.
"""

from __future__ import annotations

from dataclasses import dataclass

HIGHEST = 55.0 / 255.0
"""The strongest noise that anything is trained for."""

BORDER = 30.0
"""Noise out of 255 from which the other twin is taken."""

BESIDE = 3.0 / 255.0
"""So far each learns beyond its border: noise is estimated, and uneven."""


@dataclass(frozen=True, slots=True)
class Band:
    """Noise from `weakest` to `strongest`, 0 … 1; taken `below`, out of 255."""

    name: str
    weakest: float
    strongest: float
    below: float | None

    def holds(self, sigma: float) -> bool:
        """Return whether a picture with such noise, out of 255, is this twin's."""
        return (self.below is not None) == (sigma < BORDER)


WEAK = Band("weak", 0.0, BORDER / 255.0 + BESIDE, BORDER)
STRONG = Band("strong", BORDER / 255.0 - BESIDE, HIGHEST, None)
BANDS = {band.name: band for band in (WEAK, STRONG)}
