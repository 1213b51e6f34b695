"""Probes: bounded in time, shared by all who ask, believed for a moment."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine

import pytest

from pixtools.api import probing
from pixtools.api.probing import Watch
from pixtools.domain.errors import StorageUnavailable


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


async def until_away(watch: Watch, *, is_away: bool = True) -> None:
    """Ask as often as it takes, as clients do."""
    while await watch.away(["s3"]) is not is_away:  # noqa: ASYNC110 - it is a thread's
        await asyncio.sleep(0.01)


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


class TestGoingAway:
    """What requests ask before they use a dependency: never kept waiting by it."""

    def test_nothing_is_away_until_a_look_has_said_so(self) -> None:
        patient = Patient(hangs=True)
        watch = Watch({"s3": patient}, timeout=20, freshness=60)

        async def ask_before_anything_is_known() -> None:
            assert [await watch.away(["s3"]) for _ in range(50)] == [False] * 50
            assert patient.asked <= 1
            patient.free.set()

        told(ask_before_anything_is_known())

    def test_one_that_fails_is_away_until_it_answers_again(self) -> None:
        patient = Patient()
        patient.fails = True
        watch = Watch({"s3": patient}, timeout=20, freshness=0)

        async def fail_and_mend() -> None:
            await until_away(watch)
            patient.fails = False
            await until_away(watch, is_away=False)

        told(fail_and_mend())

    def test_one_that_hangs_is_away_and_comes_back_by_itself(self) -> None:
        patient = Patient(hangs=True)
        watch = Watch({"s3": patient}, timeout=0.05, freshness=0)

        async def hang_and_let_go() -> None:
            await until_away(watch)
            assert [await watch.away(["s3"]) for _ in range(50)] == [True] * 50
            assert patient.asked == 1
            patient.free.set()
            await until_away(watch, is_away=False)

        told(hang_and_let_go())

    def test_while_it_is_looked_at_anew_it_stays_away(self) -> None:
        """Else every second one would be let through to it."""
        patient = Patient()
        patient.fails = True
        watch = Watch({"s3": patient}, timeout=20, freshness=0)

        async def fail_then_hang() -> None:
            await until_away(watch)
            patient.free.clear()
            assert [await watch.away(["s3"]) for _ in range(50)] == [True] * 50
            patient.free.set()

        told(fail_then_hang())

    def test_an_old_failure_counts_for_nothing(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever comes first after a quiet night is not sent away for it."""
        monkeypatch.setattr(probing, "REMEMBERED", 0.0)
        patient = Patient()
        patient.fails = True
        watch = Watch({"s3": patient}, timeout=20, freshness=0)

        async def fail_and_mend() -> None:
            assert await ask(watch) == [{"s3": False}]
            patient.fails = False
            assert not await watch.away(["s3"])

        told(fail_and_mend())

    def test_other_dependencies_do_not_matter(self) -> None:
        patient = Patient()
        patient.fails = True
        watch = Watch({"redis": patient}, timeout=20, freshness=60)

        async def ask_both() -> None:
            assert await watch.ask(["redis"]) == {"redis": False}
            assert not await watch.away(["s3", "storage"])

        told(ask_both())


def told(story: Coroutine[object, object, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 20))


def test_one_that_is_away_is_said_once_and_once_that_it_is_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Clients are told 503 without a reason; the log has it."""
    caplog.set_level(logging.INFO, "pixtools.api.probing")
    patient = Patient()
    watch = Watch({"s3": patient}, timeout=20, freshness=0)

    async def come_and_go() -> None:
        for fails in (False, True, True, False, False, True, False):
            patient.fails = fails
            await ask(watch)

    asyncio.run(come_and_go())
    said = [(record.message, vars(record)["dependency"]) for record in caplog.records]
    assert said == [("dependency_away", "s3"), ("dependency_back", "s3")]
    assert vars(caplog.records[0])["reason"] == "ConnectionError"


def test_the_reason_is_the_sentence_of_who_looked(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def away() -> None:
        raise StorageUnavailable("The object store has no such bucket.")

    asyncio.run(ask(Watch({"s3": away}, timeout=20, freshness=0)))
    assert vars(caplog.records[0])["reason"] == "The object store has no such bucket."
