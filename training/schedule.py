"""How far training is, by the clock, and how fast it may learn there."""

from __future__ import annotations

import math
from collections.abc import Callable

WARM_UP = 0.03
"""Share of the time in which the rate rises from nothing."""


class Clock:
    """Counts training time over several runs of the program.

    `seconds` is the whole training's length, `spent` what earlier runs used of it.
    """

    def __init__(self, seconds: float, spent: float, now: Callable[[], float]) -> None:
        if seconds <= 0:
            raise ValueError(f"Expected seconds above 0 but received {seconds}.")
        self._seconds = seconds
        self._now = now
        self._started = now() - spent

    @property
    def spent(self) -> float:
        return self._now() - self._started

    @property
    def share(self) -> float:
        """How much of the training is done: 0 … 1."""
        return min(1.0, self.spent / self._seconds)


def rate(peak: float, share: float) -> float:
    """Return the learning rate: a short linear warm-up, then half a cosine to zero."""
    if share < WARM_UP:
        return peak * share / WARM_UP
    return peak * 0.5 * (1.0 + math.cos(math.pi * (share - WARM_UP) / (1.0 - WARM_UP)))


def renewal(making: float, stepping: float, share: float) -> int:
    """Return after how many steps new photographs cost `share` of the time.

    Args:
        making: Seconds that one chunk of photographs takes.
        stepping: Seconds that one training step takes.
        share: Share of all time, above 0 and below 1.
    """
    return max(1, math.ceil(making * (1.0 - share) / (share * stepping)))
