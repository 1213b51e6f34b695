"""How many requests a client may make, and where that is counted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketConfig:
    """A bucket that holds `capacity` requests and fills evenly in `window` seconds."""

    capacity: int = 60
    window: float = 60.0

    @property
    def rate(self) -> float:
        """Requests that come back each second."""
        return self.capacity / self.window


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisConfig:
    """A Redis server, and how little time it gets (seconds)."""

    url: str
    timeout: float = 0.1
    """For the whole question, a new connection included; a `socket_timeout` in the
    address goes first."""
    rest: float = 5.0
    """After a failure nobody asks for so long."""
    connections: int = 8
    prefix: str = "pixtools:rate"
