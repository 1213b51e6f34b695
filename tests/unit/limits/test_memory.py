"""Buckets in memory: exact in time, bounded in space."""

from __future__ import annotations

import asyncio

from hypothesis import given, strategies as st

from pixtools.limits import memory
from pixtools.limits.bucket import Taken
from pixtools.limits.config import BucketConfig
from pixtools.limits.memory import MemoryBuckets


class Watch:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def buckets(watch: Watch, capacity: int = 60, window: float = 60) -> MemoryBuckets:
    return MemoryBuckets(BucketConfig(capacity=capacity, window=window), now=watch)


def take(limiter: MemoryBuckets, who: str = "a", route: str = "r") -> Taken:
    return asyncio.run(limiter.take(who, route))


def test_one_comes_back_each_time_that_its_share_of_the_window_is_over() -> None:
    watch = Watch()
    limiter = buckets(watch, capacity=4, window=8)
    assert [take(limiter).remaining for _ in range(4)] == [3, 2, 1, 0]
    assert take(limiter) == Taken(allowed=False, remaining=0, wait=2)
    watch.now += 1.5
    assert take(limiter) == Taken(allowed=False, remaining=0, wait=0.5)
    watch.now += 0.5
    assert take(limiter) == Taken(allowed=True, remaining=0, wait=2)


def test_a_long_rest_fills_the_bucket_and_no_more() -> None:
    watch = Watch()
    limiter = buckets(watch, capacity=3, window=3)
    take(limiter)
    watch.now += 3600
    assert [take(limiter).allowed for _ in range(4)] == [True, True, True, False]


@given(
    capacity=st.integers(1, 20),
    window=st.floats(0.1, 100),
    pauses=st.lists(st.floats(0, 10), max_size=60),
)
def test_nobody_gets_more_than_a_full_bucket_and_what_came_back(
    capacity: int, window: float, pauses: list[float]
) -> None:
    watch = Watch()
    limiter = buckets(watch, capacity, window)
    allowed = 0
    for pause in pauses:
        watch.now += pause
        allowed += take(limiter).allowed
    came_back = sum(pauses) * capacity / window
    assert allowed <= capacity + came_back + 1e-6


@given(spent=st.integers(1, 30), waited=st.floats(0, 0.999))
def test_who_waits_as_long_as_was_said_is_let_in(spent: int, waited: float) -> None:
    watch = Watch()
    limiter = buckets(watch, capacity=5, window=7)
    told = [take(limiter) for _ in range(spent)][-1]
    watch.now += told.wait * waited
    told = take(limiter)
    watch.now += told.wait + 1e-9
    assert take(limiter).allowed


def test_clients_that_went_away_are_forgotten() -> None:
    watch = Watch()
    limiter = buckets(watch, capacity=2, window=10)
    for number in range(100):
        take(limiter, f"client-{number}")
    watch.now += 10
    take(limiter, "another")
    assert len(limiter._buckets) == 1


def test_a_flood_of_addresses_takes_bounded_room() -> None:
    watch = Watch()
    limiter = buckets(watch)

    async def flood() -> None:
        for number in range(memory.MOST + 500):
            await limiter.take(f"address-{number}", "r")

    asyncio.run(flood())
    assert len(limiter._buckets) == memory.MOST


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    watch = Watch()
    limiter = buckets(watch, capacity=1, window=10)
    take(limiter)
    watch.now -= 500
    assert not take(limiter).allowed
