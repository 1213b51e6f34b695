"""Time and ids that a test decides."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from pixtools.domain.ids import uuid7
from pixtools.jobs.ports.work import Clock


class HandClock:
    """A clock that moves only when it is told to."""

    def __init__(self, now: datetime | None = None) -> None:
        self._now = now or datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def now(self) -> datetime:
        """The moment that was set."""
        return self._now

    def advance(self, by: timedelta | float) -> None:
        """Let time pass; a number is seconds."""
        self._now += by if isinstance(by, timedelta) else timedelta(seconds=by)


class CountedIds:
    """UUIDv7 in strictly rising order, the same in every run."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._count = 0
        self._lock = threading.Lock()

    def new(self) -> str:
        """A fresh id."""
        with self._lock:
            self._count += 1
            count = self._count
        milliseconds = int(self._clock.now().timestamp() * 1000)
        return uuid7(milliseconds, count.to_bytes(10, "big"))
