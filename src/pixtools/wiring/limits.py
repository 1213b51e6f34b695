"""How often clients may ask, and who counts."""

from __future__ import annotations

from pixtools.api.ports import Probe, RateLimiter
from pixtools.limits.config import BucketConfig, RedisConfig
from pixtools.limits.memory import MemoryBuckets
from pixtools.settings import Settings


def rate_limiter(settings: Settings) -> RateLimiter | None:
    """What counts requests: Redis where there is one; None where nobody is limited.

    Left to itself, a service that shares its limits has them, and one on a machine of
    its own, where all clients have one address, has none.
    """
    enabled = settings.rate_limit_enabled
    if not (bool(settings.redis_url) if enabled is None else enabled):
        return None
    config = BucketConfig(
        capacity=settings.rate_limit_capacity, window=settings.rate_limit_window
    )
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
