"""How often clients may ask, and who counts."""

from __future__ import annotations

from pixtools.api.ports import Probe, RateLimiter
from pixtools.limits.config import BucketConfig, RedisConfig
from pixtools.limits.memory import MemoryBuckets
from pixtools.settings import Settings

SIGN_INS, SIGN_IN_WINDOW = 10, 60.0
"""So many wrong keys may come from an address within so many seconds."""


def rate_limiter(settings: Settings) -> RateLimiter | None:
    """What counts requests: Redis where there is one; None where nobody is limited."""
    if settings.rate_limit_enabled is False:
        return None
    config = BucketConfig(
        capacity=settings.rate_limit_capacity, window=settings.rate_limit_window
    )
    if not settings.redis_url:
        return MemoryBuckets(config)
    from pixtools.limits.redis import RedisBuckets

    return RedisBuckets(config, RedisConfig(url=settings.redis_url))


def limit_strangers(settings: Settings) -> bool:
    """Whether also callers that nobody knows are limited, by their address.

    Left to itself, a service that shares its limits does so, and one on a machine of
    its own, where all of them have one address, does not.
    """
    if settings.rate_limit_enabled is None:
        return bool(settings.redis_url)
    return settings.rate_limit_enabled


def sign_in_limiter(settings: Settings) -> RateLimiter:
    """What counts wrong keys by address: always, and where all servers share it."""
    config = BucketConfig(capacity=SIGN_INS, window=SIGN_IN_WINDOW)
    if not settings.redis_url:
        return MemoryBuckets(config)
    from pixtools.limits.redis import RedisBuckets

    return RedisBuckets(config, RedisConfig(url=settings.redis_url))


def redis_probes(settings: Settings) -> dict[str, Probe]:
    """How `/api/health` asks Redis, if there is one."""
    if not settings.redis_url:
        return {}
    from pixtools.limits.redis import check

    redis = RedisConfig(url=settings.redis_url)
    return {"redis": lambda: check(redis)}
