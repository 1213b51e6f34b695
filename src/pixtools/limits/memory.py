"""Buckets in this process: for a service that is one process."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from pixtools.limits.bucket import Taken, refilled, taken
from pixtools.limits.config import BucketConfig

MOST = 10_000
"""Buckets that are kept; what floods from more addresses forgets the oldest."""


class MemoryBuckets:
    """A bucket for each client and route that asked within the window."""

    def __init__(
        self, config: BucketConfig, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._config = config
        self._now = now
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    @property
    def capacity(self) -> int:
        """Requests that a full bucket holds."""
        return self._config.capacity

    @property
    def window(self) -> float:
        """Seconds in which an empty bucket fills."""
        return self._config.window

    async def take(self, who: str, route: str) -> Taken:
        """Take one request out of a client's bucket for a route."""
        now = self._now()
        tokens, at = self._buckets.pop((who, route), (float(self.capacity), now))
        tokens = refilled(self._config, tokens, now - at)
        allowed = tokens >= 1
        tokens -= allowed
        # Last in the order: whoever is first was idle longest.
        self._buckets[who, route] = (tokens, now)
        self._forget(now)
        return taken(self._config, tokens, allowed=allowed)

    async def close(self) -> None:
        """Nothing is open."""

    def _forget(self, now: float) -> None:
        """Drop buckets that are full again: they are as good as none."""
        while True:
            oldest, (_, at) = next(iter(self._buckets.items()))
            if now - at < self.window and len(self._buckets) <= MOST:
                return
            del self._buckets[oldest]
