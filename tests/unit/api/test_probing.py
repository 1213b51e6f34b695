"""Probes: bounded in time, shared by all who ask, believed for a moment."""

from __future__ import annotations

import asyncio
import threading

from pixtools.api.probing import Watch


class Patient:
    """A dependency that answers, fails or hangs as it is told; counts who asked."""

    def __init__(self, *, hangs: bool = False) -> None:
        self.asked = 0
        self.fails = False
        self.free = threading.Event()
        if not hangs:
            self.free.set()

    def __call__(self) -> None:
        self.asked += 1
        self.free.wait(20)
        if self.fails:
            raise ConnectionError


async def ask(watch: Watch, times: int = 1) -> list[dict[str, bool]]:
    return await asyncio.gather(*(watch.ask(watch.names) for _ in range(times)))


def test_a_storm_of_checks_asks_once() -> None:
    patient = Patient()
    watch = Watch({"s3": patient}, timeout=20, freshness=60)

    async def storm() -> None:
        assert await ask(watch, 500) == [{"s3": True}] * 500
        assert await ask(watch, 500) == [{"s3": True}] * 500

    asyncio.run(storm())
    assert patient.asked == 1


def test_what_was_found_is_believed_for_a_moment_only() -> None:
    patient = Patient()
    watch = Watch({"s3": patient}, timeout=20, freshness=0)

    async def look_again() -> None:
        assert await ask(watch) == [{"s3": True}]
        patient.fails = True
        assert await ask(watch) == [{"s3": False}]
        patient.fails = False
        assert await ask(watch) == [{"s3": True}]

    asyncio.run(look_again())
    assert patient.asked == 3


def test_one_that_hangs_takes_one_thread_however_often_it_is_asked() -> None:
    patient = Patient(hangs=True)
    watch = Watch({"s3": patient}, timeout=0.05, freshness=0)

    async def ask_and_let_go() -> None:
        for _ in range(20):
            assert await ask(watch, 20) == [{"s3": False}] * 20
        assert patient.asked == 1
        patient.free.set()
        # Its late answer counts; then it is asked anew.
        while patient.asked == 1:
            await ask(watch)
        while await ask(watch) != [{"s3": True}]:
            pass

    asyncio.run(asyncio.wait_for(ask_and_let_go(), 20))


def test_one_that_hangs_does_not_hold_up_the_others() -> None:
    patient = Patient(hangs=True)
    watch = Watch({"s3": patient, "database": Patient()}, timeout=20, freshness=60)

    async def ask_beside_it() -> None:
        hanging = asyncio.create_task(watch.ask(["s3"]))
        all_of_them = asyncio.create_task(watch.ask(watch.names))
        assert await watch.ask(["database"]) == {"database": True}
        assert not hanging.done()
        patient.free.set()
        assert await all_of_them == {"s3": True, "database": True}

    asyncio.run(ask_beside_it())


def test_a_probe_that_hangs_does_not_keep_the_process() -> None:
    patient = Patient(hangs=True)
    watch = Watch({"s3": patient}, timeout=0.05, freshness=60)
    asyncio.run(ask(watch))
    found = [thread for thread in threading.enumerate() if thread.name == "probe-s3"]
    patient.free.set()
    assert found
    assert all(thread.daemon for thread in found)
