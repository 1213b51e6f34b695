"""What every rate limiter promises, whoever keeps its buckets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from pixtools.api.ports import RateGrant, RateLimiter
from pixtools.limits.config import BucketConfig, RedisConfig
from pixtools.limits.memory import MemoryBuckets
from pixtools.limits.redis import RedisBuckets

Opened = Callable[..., AbstractAsyncContextManager[RateLimiter]]
HOUR = 3600.0


@pytest.fixture(params=["memory", "redis"])
def opened(request: pytest.FixtureRequest) -> Opened:
    url = request.getfixturevalue("redis_url") if request.param == "redis" else ""
    prefix = f"test:{request.node.name}:{time.monotonic_ns()}"

    @asynccontextmanager
    async def open_one(**config: Any) -> AsyncIterator[RateLimiter]:
        buckets = BucketConfig(**config)
        limiter: RateLimiter = MemoryBuckets(buckets)
        if url:
            # A machine that is shared may be slow; how long is not asked here.
            redis = RedisConfig(url=url, prefix=prefix, timeout=30)
            limiter = RedisBuckets(buckets, redis)
        try:
            yield limiter
        finally:
            await limiter.close()

    return open_one


def story(told: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(told())


async def times(limiter: RateLimiter, count: int, who: str = "a") -> list[RateGrant]:
    return [await limiter.take(who, "POST /r") for _ in range(count)]


def test_a_bucket_gives_what_it_holds_and_then_nothing(opened: Opened) -> None:
    async def told() -> None:
        async with opened(capacity=5, window=HOUR) as limiter:
            grants = await times(limiter, 7)
            assert [grant.allowed for grant in grants] == [True] * 5 + [False] * 2
            assert [grant.remaining for grant in grants] == [4, 3, 2, 1, 0, 0, 0]
            assert all(grant.counted for grant in grants)

    story(told)


def test_it_says_when_there_will_be_one_more(opened: Opened) -> None:
    async def told() -> None:
        async with opened(capacity=2, window=HOUR) as limiter:
            first, _, refused = await times(limiter, 3)
            assert first.wait == pytest.approx(HOUR / 2, abs=1)
            assert 0 < refused.wait <= HOUR / 2
            assert refused.wait == pytest.approx(HOUR / 2, abs=60)

    story(told)


def test_what_was_taken_comes_back_with_time(opened: Opened) -> None:
    async def told() -> None:
        async with opened(capacity=2, window=0.4) as limiter:
            since = time.monotonic()
            allowed = 0
            while allowed < 6:
                allowed += (await limiter.take("a", "POST /r")).allowed
                await asyncio.sleep(0)
            assert time.monotonic() - since >= 4 * 0.2 - 0.01

    story(told)


def test_each_client_and_each_route_has_a_bucket_of_its_own(opened: Opened) -> None:
    async def told() -> None:
        async with opened(capacity=1, window=HOUR) as limiter:
            for who in ("address:10.0.0.1", "address:2001:db8::/64", "tenant:{x}"):
                for route in ("POST /v1/jobs", "POST /v1/jobs/{job_id}/start"):
                    assert (await limiter.take(who, route)).allowed
                    assert not (await limiter.take(who, route)).allowed

    story(told)


def test_a_crowd_at_once_gets_no_more_than_one_after_the_other(opened: Opened) -> None:
    async def told() -> None:
        async with opened(capacity=10, window=HOUR) as limiter:
            crowd = (limiter.take("a", "POST /r") for _ in range(100))
            grants = await asyncio.gather(*crowd)
            assert sum(grant.allowed for grant in grants) == 10

    story(told)


def test_it_tells_its_policy(opened: Opened) -> None:
    async def told() -> None:
        async with opened(capacity=7, window=11) as limiter:
            assert (limiter.capacity, limiter.window) == (7, 11)

    story(told)
