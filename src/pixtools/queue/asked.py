"""Being asked to stop: once for a soft end, twice for an end at once."""

from __future__ import annotations

import os
import queue
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ASKED = (signal.SIGTERM, signal.SIGINT)


class Asked:
    """What the main thread waits for: a signal, or that its work has ended.

    A queue of this kind may be written to by a signal handler that interrupts its
    reader; an Event may not.
    """

    def __init__(self) -> None:
        self._said: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._signals = 0

    @property
    def to_stop(self) -> bool:
        """Whether a signal has come."""
        return self._signals > 0

    def wait(self, seconds: float) -> bool:
        """True when something was said within that time."""
        try:
            self._said.get(timeout=max(0.0, seconds))
        except queue.Empty:
            return False
        return True

    def say(self) -> None:
        """Wake who waits; from any thread."""
        self._said.put(None)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Heed SIGTERM and SIGINT for a block; the second one ends the process."""
        before = {number: signal.signal(number, self._heard) for number in ASKED}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _heard(self, number: int, frame: FrameType | None) -> None:
        del frame
        self._signals += 1
        if self._signals > 1:
            os._exit(128 + number)
        self.say()
