"""Bounded by pixels, not by jobs: memory that the jobs of one pool share."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pixtools.workers.pulse import BEAT_SECONDS


class MemoryBudget:
    """Admits jobs as long as the sum of their estimates fits into `total` bytes.

    First come, first served, so that small jobs never starve a large one. A job that
    is larger than the whole budget runs when nothing else does: whether it may run at
    all is the engine's decision, by its limits.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._taken = 0
        self._waiting: deque[object] = deque()
        self._changed = threading.Condition()

    @property
    def taken(self) -> int:
        """Bytes that running jobs have reserved."""
        return self._taken

    @contextmanager
    def job(self, still_wanted: Callable[[], None]) -> Iterator[Callable[[int], None]]:
        """Hand out `admit(bytes)` for one job; what it reserved is freed at the end.

        `admit` blocks until there is room and calls `still_wanted` meanwhile, at least
        twice a second; whatever that raises ends the wait.
        """
        reserved = 0

        def admit(needed: int) -> None:
            nonlocal reserved
            self._reserve(needed, still_wanted)
            reserved += needed

        try:
            yield admit
        finally:
            with self._changed:
                self._taken -= reserved
                self._changed.notify_all()

    def _reserve(self, needed: int, still_wanted: Callable[[], None]) -> None:
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
        try:
            while not self._take(ticket, needed):
                still_wanted()
        finally:
            with self._changed:
                self._waiting.remove(ticket)
                self._changed.notify_all()

    def _take(self, ticket: object, needed: int) -> bool:
        """Take the memory if it is this ticket's turn and there is room; else wait."""
        with self._changed:
            if not self._room(ticket, needed):
                self._changed.wait(BEAT_SECONDS)
            if not self._room(ticket, needed):
                return False
            self._taken += needed
            return True

    def _room(self, ticket: object, needed: int) -> bool:
        fits = self._taken == 0 or self._taken + needed <= self._total
        return self._waiting[0] is ticket and fits
