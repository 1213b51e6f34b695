"""Buckets in Redis: shared by servers, and never needed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis import Redis, RedisError
from tests.contract.limits.relay import Relay, relayed

from pixtools.limits.bucket import UNCOUNTED
from pixtools.limits.config import BucketConfig, RedisConfig
from pixtools.limits.redis import RedisBuckets, check

HOUR = BucketConfig(capacity=2, window=3600)
SLOW = 30.0
"""Time enough on a busy machine, where time is not what is asked."""


class Watch:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def buckets(
    url: str, config: BucketConfig = HOUR, **redis: Any
) -> AsyncIterator[RedisBuckets]:
    settings = {"timeout": SLOW, **redis}
    now = settings.pop("now", time.monotonic)
    limiter = RedisBuckets(config, RedisConfig(url=url, **settings), now=now)
    try:
        yield limiter
    finally:
        await limiter.close()


@pytest.fixture(autouse=True)
def fresh(redis_url: str) -> None:
    with Redis.from_url(redis_url) as client:
        client.flushdb()


def story(told: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(told())


def test_servers_share_their_buckets(redis_url: str) -> None:
    async def told() -> None:
        async with buckets(redis_url) as one, buckets(redis_url) as other:
            assert (await one.take("a", "r")).remaining == 1
            assert (await other.take("a", "r")).remaining == 0
            assert not (await one.take("a", "r")).allowed

    story(told)


def test_a_bucket_is_gone_from_redis_when_it_is_full(redis_url: str) -> None:
    async def told() -> None:
        async with buckets(redis_url, BucketConfig(capacity=4, window=100)) as limiter:
            for _ in range(3):
                await limiter.take("a", "r")

    story(told)
    with Redis.from_url(redis_url) as client:
        (key,) = client.keys("*")
        assert 45_000 < client.pttl(key) <= 75_000


def test_a_route_with_parameters_is_not_kept_in_one_place(redis_url: str) -> None:
    """Between braces a Redis cluster reads what decides where a key lies."""

    async def told() -> None:
        async with buckets(redis_url) as limiter:
            await limiter.take("a", "POST /v1/jobs/{job_id}/start")

    story(told)
    with Redis.from_url(redis_url) as client:
        (key,) = client.keys("*")
        assert key == b"pixtools:rate:POST /v1/jobs/job_id/start:a"


def test_a_server_that_has_forgotten_the_script_is_told_it_again(
    redis_url: str,
) -> None:
    async def told() -> None:
        async with buckets(redis_url) as limiter:
            await limiter.take("a", "r")
            with Redis.from_url(redis_url) as client:
                client.script_flush()
            assert (await limiter.take("a", "r")).remaining == 0

    story(told)


def test_a_connection_that_was_cut_while_idle_is_made_anew(redis_url: str) -> None:
    async def told() -> None:
        async with relayed(redis_url) as (relay, url), buckets(url) as limiter:
            await limiter.take("a", "r")
            relay.hang_up()
            assert (await limiter.take("a", "r")).counted
            assert relay.calls == 2

    story(told)


def test_without_redis_everything_is_allowed_and_the_log_says_so_once(
    redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    watch = Watch()

    async def told() -> None:
        async with (
            relayed(redis_url) as (relay, url),
            buckets(url, now=watch, rest=5) as limiter,
        ):
            relay.deaf = True
            with caplog.at_level(logging.INFO, "pixtools.limits.redis"):
                assert await asked(limiter, 20) == [UNCOUNTED] * 20
                watch.now += 5
                assert await asked(limiter, 20) == [UNCOUNTED] * 20
                assert words(caplog) == ["Redis is away"]
                relay.deaf = False
                watch.now += 5
                assert (await limiter.take("a", "r")).counted
                assert words(caplog) == ["Redis is away", "Redis is back"]

    story(told)


def test_after_a_failure_redis_is_left_in_peace_for_a_while(redis_url: str) -> None:
    watch = Watch()

    async def told() -> None:
        async with (
            relayed(redis_url) as (relay, url),
            buckets(url, now=watch, rest=5) as limiter,
        ):
            relay.deaf = True
            await limiter.take("a", "r")
            calls = relay.calls
            watch.now += 4.9
            await asked(limiter, 100)
            assert relay.calls == calls
            watch.now += 0.1
            # One finds out; the others go on.
            await asyncio.gather(*(limiter.take("a", "r") for _ in range(100)))
            assert calls < relay.calls <= 2 * calls

    story(told)


def test_a_redis_that_hangs_costs_a_request_its_time_limit_and_no_more(
    redis_url: str,
) -> None:
    async def told() -> None:
        async with relayed(redis_url) as (relay, url):
            relay.silent = True
            async with buckets(url, timeout=0.1, rest=60) as limiter:
                since = time.monotonic()
                assert await limiter.take("a", "r") == UNCOUNTED
                assert time.monotonic() - since < 5
                said = relay.said
                assert await asked(limiter, 100) == [UNCOUNTED] * 100
                assert relay.said == said

    story(told)


def test_a_redis_far_away_gets_the_time_that_its_address_says(
    redis_url: str, free_port: int
) -> None:
    """All of it: a shorter limit of ours would silently be the one that counts."""

    async def told() -> None:
        async with relayed(redis_url) as (relay, url):
            relay.slow = 0.3
            hasty = buckets(url, timeout=0.05)
            patient = buckets(f"{url}?socket_timeout={SLOW}", timeout=0.05)
            async with hasty as one, patient as other:
                assert await one.take("a", "r") == UNCOUNTED
                assert (await other.take("a", "r")).counted

    story(told)


def test_an_answer_that_makes_no_sense_is_no_answer(redis_url: str) -> None:
    with Redis.from_url(redis_url) as client:
        client.set("pixtools:rate:r:a", "not a bucket")

    async def told() -> None:
        async with buckets(redis_url) as limiter:
            assert await limiter.take("a", "r") == UNCOUNTED

    story(told)


def test_the_probe_of_redis_asks_it(redis_url: str, free_port: int) -> None:
    check(RedisConfig(url=redis_url))
    with pytest.raises(RedisError):
        check(RedisConfig(url=f"redis://127.0.0.1:{free_port}/0"))


async def asked(limiter: RedisBuckets, count: int) -> list[object]:
    return [await limiter.take("a", "r") for _ in range(count)]


def words(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [" ".join(text.split()[:3]).rstrip(",") for text in caplog.messages]


def test_nobody_is_left_waiting_for_a_connection(redis_url: str) -> None:
    """More requests than connections share them; none is refused for want of one."""

    async def told() -> None:
        wide = BucketConfig(capacity=1000, window=3600)
        async with (
            relayed(redis_url) as (relay, url),
            buckets(url, wide, connections=2) as limiter,
        ):
            grants = await asyncio.gather(*(limiter.take("a", "r") for _ in range(200)))
            assert all(grant.counted for grant in grants)
            assert _few(relay)

    story(told)


def _few(relay: Relay) -> bool:
    return relay.calls <= 2
