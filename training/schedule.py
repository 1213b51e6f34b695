"""How far training is, by the clock, and how fast it may learn there."""

from __future__ import annotations

import math
from collections.abc import Callable

GROWTH = ((0.0, 1 / 3), (0.25, 2 / 3), (0.5, 1.0))
"""From which share of the training on how many of the hidden layers learn."""

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


def asleep(depth: int, share: float) -> frozenset[int]:
    """Return which of `depth` convolutions do not learn yet, in a network that grows.

    A third of the hidden layers cost a third of the time, and what they learn the
    deeper network need not learn again. They wake in an order that spreads those
    awake evenly; the first and the last layer are always awake.
    """
    hidden = sorted(range(1, depth - 1), key=_reflected)
    awake = max(part for since, part in GROWTH if share >= since)
    return frozenset(hidden[round(awake * len(hidden)) :])


def _reflected(number: int) -> float:
    """Mirror the binary digits at the point (van der Corput 1935): evenly spread."""
    return int(f"{number:032b}"[::-1], 2) / 2**32


def renewal(making: float, stepping: float, share: float) -> int:
    """Return after how many steps new photographs cost `share` of the time.

    Args:
        making: Seconds that one chunk of photographs takes.
        stepping: Seconds that one training step takes.
        share: Share of all time, above 0 and below 1.
    """
    return max(1, math.ceil(making * (1.0 - share) / (share * stepping)))
