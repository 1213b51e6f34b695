"""How long something took while this machine ran."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

TICK: Final = 0.02
MOST: Final = 0.25
"""Seconds that may lie between two ticks and count: far more than a busy machine's."""


class Stopwatch:
    """`with Stopwatch() as watch: …`, and then `watch.seconds`.

    A thread ticks all the time. Where a tick comes seconds too late the whole machine
    stood still, and that breaks no promise about time: of such a pause hardly anything
    counts. A promise can so be held to its own seconds on a machine that stalls.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.seconds = 0.0
        self._now = now
        self._over = threading.Event()
        self._last = 0.0
        self._ticking = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Self:
        """Begin to count."""
        self._last = self._now()
        self._ticking.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Count to here."""
        self._over.set()
        self._ticking.join()
        self._count()

    def _tick(self) -> None:
        while not self._over.wait(TICK):
            self._count()

    def _count(self) -> None:
        now = self._now()
        self.seconds += min(now - self._last, MOST)
        self._last = now
