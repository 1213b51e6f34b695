"""One limit of time for all that a call does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

TURN: Final = 0.25
"""Seconds between two beats of whoever waits."""


class Overtime(TimeoutError):
    """The whole call has taken as long as it may."""


class Deadline:
    """When a call is over, however little each of its parts takes.

    `beat` is called before each wait, at least four times a second, and may raise.
    """

    def __init__(self, seconds: float, beat: Callable[[], None] | None = None) -> None:
        self._at = time.monotonic() + seconds
        self._beat = beat

    def left(self) -> float:
        """Seconds that are left; raises Overtime when there are none."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise Overtime
        return left

    def turn(self) -> float:
        """Seconds to wait in one go; raises Overtime."""
        return min(self.left(), TURN) if self._beat else self.left()

    def beat(self) -> None:
        """Tell whoever is responsible that the call still waits."""
        if self._beat:
            self._beat()
