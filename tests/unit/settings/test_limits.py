"""Who is limited, and where that is counted."""

from __future__ import annotations

import pytest

from pixtools.limits.memory import MemoryBuckets
from pixtools.limits.redis import RedisBuckets
from pixtools.settings import Settings
from pixtools.wiring.limits import limit_strangers, rate_limiter, redis_probes

REDIS = "redis://127.0.0.1:1/0"


@pytest.mark.parametrize(
    ("redis_url", "enabled", "kind", "strangers"),
    [
        ("", None, MemoryBuckets, False),
        ("", False, type(None), False),
        ("", True, MemoryBuckets, True),
        (REDIS, None, RedisBuckets, True),
        (REDIS, True, RedisBuckets, True),
        (REDIS, False, type(None), False),
    ],
)
def test_limits_are_on_unless_told_otherwise_for_strangers_where_servers_share_them(
    redis_url: str, enabled: bool | None, kind: type[object], strangers: bool
) -> None:
    settings = Settings(redis_url=redis_url, rate_limit_enabled=enabled)
    assert type(rate_limiter(settings)) is kind
    assert limit_strangers(settings) is strangers


def test_the_quota_is_the_operators() -> None:
    settings = Settings(
        rate_limit_enabled=True, rate_limit_capacity=7, rate_limit_window=11
    )
    limiter = rate_limiter(settings)
    assert limiter is not None
    assert (limiter.capacity, limiter.window) == (7, 11)


def test_health_asks_redis_only_where_there_is_one() -> None:
    assert redis_probes(Settings()) == {}
    assert list(redis_probes(Settings(redis_url=REDIS))) == ["redis"]
