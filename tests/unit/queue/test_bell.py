"""News reaches everyone who waits for it, and nobody else."""

from __future__ import annotations

import asyncio
import threading

from pixtools.queue.bell import HouseBell

PATIENCE = 10.0


def test_news_from_another_thread_wakes_the_one_who_waits() -> None:
    bell = HouseBell()

    async def listen() -> bool:
        with bell.subscribe("job") as news:
            threading.Thread(target=bell.news, args=("job",)).start()
            return await news.wait(PATIENCE)

    assert asyncio.run(listen())


def test_news_between_two_waits_is_not_lost() -> None:
    bell = HouseBell()

    async def listen() -> tuple[bool, bool]:
        with bell.subscribe("job") as news:
            bell.news("job")
            await asyncio.sleep(0)
            return await news.wait(PATIENCE), await news.wait(0.01)

    assert asyncio.run(listen()) == (True, False)


def test_other_jobs_news_wakes_nobody() -> None:
    bell = HouseBell()

    async def listen() -> bool:
        with bell.subscribe("mine") as news:
            bell.news("other")
            return await news.wait(0.01)

    assert not asyncio.run(listen())


def test_closing_wakes_everyone() -> None:
    bell = HouseBell()

    async def listen() -> bool:
        with bell.subscribe("job") as news:
            bell.close()
            return await news.wait(PATIENCE)

    assert asyncio.run(listen())
    assert bell.closed


def test_who_has_left_is_forgotten() -> None:
    bell = HouseBell()

    async def listen() -> None:
        with bell.subscribe("job"):
            pass

    asyncio.run(listen())
    assert not bell._listeners
    bell.news("job")


def test_news_for_a_loop_that_has_ended_is_harmless() -> None:
    bell = HouseBell()

    async def listen() -> None:
        news = bell.subscribe("job")
        news.__enter__()

    asyncio.run(listen())
    bell.news("job")


def test_a_bell_tells_for_how_long_it_has_been_closed() -> None:
    bell = HouseBell()
    assert bell.closed_for == 0
    bell.close()
    first = bell.closed_for
    bell.close()
    assert bell.closed_for >= first > 0


def test_a_stage_that_waits_wakes_nobody_who_tells_clients() -> None:
    """They would look at the database for nothing, and that for each job."""
    bell = HouseBell()
    bell.work()
    bell.work(["default_queue", "ml_inference_queue"])
    assert (bell.rings, bell.deliveries.rings) == (2, 0)
    bell.work(["deliveries"])
    assert (bell.rings, bell.deliveries.rings) == (2, 1)
    bell.work(["default_queue", "deliveries"])
    assert (bell.rings, bell.deliveries.rings) == (3, 2)
