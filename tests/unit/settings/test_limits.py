"""Who is limited, and where that is counted."""

from __future__ import annotations

import pytest

from pixtools.limits.memory import MemoryBuckets
from pixtools.limits.redis import RedisBuckets
from pixtools.settings import Settings
from pixtools.wiring.limits import rate_limiter, redis_probes

REDIS = "redis://127.0.0.1:1/0"


@pytest.mark.parametrize(
    ("redis_url", "enabled", "kind"),
    [
        ("", None, type(None)),
        ("", False, type(None)),
        ("", True, MemoryBuckets),
        (REDIS, None, RedisBuckets),
        (REDIS, True, RedisBuckets),
        (REDIS, False, type(None)),
    ],
)
def test_limits_are_on_where_servers_share_them_unless_told_otherwise(
    redis_url: str, enabled: bool | None, kind: type[object]
) -> None:
    settings = Settings(redis_url=redis_url, rate_limit_enabled=enabled)
    assert type(rate_limiter(settings)) is kind


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
