"""The arithmetic of a token bucket, whoever keeps it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pixtools.limits.config import BucketConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What came of taking one token."""

    allowed: bool
    remaining: int = 0
    """Whole tokens that are left."""
    wait: float = 0.0
    """Seconds until there is one more than now."""
    counted: bool = True
    """False where nobody could count: then it is allowed, and the rest is unknown."""


UNCOUNTED = Taken(allowed=True, counted=False)


def refilled(config: BucketConfig, tokens: float, seconds: float) -> float:
    """What a bucket holds after so many seconds."""
    return min(config.capacity, tokens + max(0.0, seconds) * config.rate)


def taken(config: BucketConfig, tokens: float, *, allowed: bool) -> Taken:
    """Say what is left in a bucket from which one was, or was not, taken."""
    whole = math.floor(tokens)
    wait = (whole + 1 - tokens) / config.rate
    return Taken(allowed=allowed, remaining=whole, wait=wait)
