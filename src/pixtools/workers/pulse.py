"""Asking the caller, often enough, whether the work shall go on."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

BEAT_SECONDS: Final = 0.4
"""The longest silence towards a caller, who is promised two calls a second."""

_STEP: Final = 0.01

Checkpoint = Callable[[float], None]
"""Told the fraction done, 0..1; raises to stop the work."""


class Pulse:
    """Calls a checkpoint when there is progress, and when there is none for long.

    Progress never goes back, so a child can't make its caller busy with talk.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        """The first `beat` calls at once."""
        self._checkpoint = checkpoint
        self._due_at = 0.0
        self._told = 0.0
        self._fraction = 0.0

    def seconds_left(self) -> float:
        """How long one may wait before the next beat."""
        return max(0.0, self._due_at - time.monotonic())

    def progressed(self, fraction: float) -> None:
        """Take note of the fraction done."""
        self._fraction = max(self._fraction, fraction)

    def beat(self) -> None:
        """Call the checkpoint if there is something to tell or it is time."""
        if self._fraction - self._told >= _STEP or not self.seconds_left():
            self._told = self._fraction
            self._due_at = time.monotonic() + BEAT_SECONDS
            self._checkpoint(self._fraction)
