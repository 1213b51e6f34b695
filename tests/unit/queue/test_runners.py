"""Runners: woken at once, never spinning, never killed by one bad stage."""

from __future__ import annotations

import threading
from collections import deque
from datetime import timedelta

import pytest

from pixtools.domain.errors import DatabaseUnavailable
from pixtools.domain.job import Stage
from pixtools.queue import runners as module
from pixtools.queue.bell import HouseBell
from pixtools.queue.config import RunnerConfig
from pixtools.queue.runners import Duties, Runners
from pixtools.testing.rows import a_job, a_stage

PATIENCE = 10.0
NEVER = 3600.0


class Work:
    """A queue of callables, and a record of how often it was asked."""

    def __init__(self) -> None:
        self.waiting: deque[object] = deque()
        self.asked = threading.Semaphore(0)
        self.done = threading.Event()
        self.reaped = threading.Event()
        self.due: timedelta | None = None
        self.owners: dict[bool, set[str]] = {}

    def run_next(self, owner: str, light_only: bool) -> Stage | None:
        assert owner.startswith("house/")
        self.owners.setdefault(light_only, set()).add(owner)
        item = self.waiting.popleft() if self.waiting else None
        self.asked.release()  # from here on a test may add to what waits
        if item is None:
            return None
        if isinstance(item, Exception):
            raise item
        self.done.set()
        return a_stage(a_job())

    def due_in(self, light_only: bool) -> timedelta | None:
        return self.due

    def reap(self) -> int:
        self.reaped.set()
        return 0

    def duties(self) -> Duties:
        return Duties(
            run_next=self.run_next,
            due_in=self.due_in,
            reap=self.reap,
            expire=lambda: 0,
        )


def started(
    work: Work, bell: HouseBell, *, runners: int = 1, heavy: int = 1
) -> Runners:
    config = RunnerConfig(
        runners=runners, heavy=heavy, backstop=NEVER, upkeep=NEVER, expiry=NEVER
    )
    made = Runners(work.duties(), bell, config, "house")
    made.start()
    return made


def test_a_ring_wakes_a_runner_that_would_sleep_for_an_hour() -> None:
    work, bell = Work(), HouseBell()
    runners = started(work, bell)
    assert work.asked.acquire(timeout=PATIENCE)
    work.waiting.append("stage")
    bell.work()
    assert work.done.wait(PATIENCE)
    assert runners.stop()


def test_a_ring_between_looking_and_waiting_is_not_lost() -> None:
    bell = HouseBell()
    heard = bell.rings
    bell.work()
    assert bell.wait_for_work(heard, timeout=PATIENCE)
    assert not bell.wait_for_work(bell.rings, timeout=0.01)


def test_a_runner_looks_again_when_a_waiting_stage_falls_due() -> None:
    work, bell = Work(), HouseBell()
    work.due = timedelta(milliseconds=20)
    runners = started(work, bell)
    assert all(work.asked.acquire(timeout=PATIENCE) for _ in range(3))
    assert runners.stop()


def go_on_after(trouble: Exception) -> None:
    """A runner meets trouble once, is alive, and does what comes next."""
    work, bell = Work(), HouseBell()
    work.waiting.append(trouble)
    runners = started(work, bell)
    assert work.asked.acquire(timeout=PATIENCE)
    work.waiting.append("stage")
    bell.work()
    assert work.done.wait(PATIENCE)
    assert runners.alive == 1
    assert runners.stop()


def test_a_stage_that_crashes_ends_no_runner(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "PAUSE_AFTER_TROUBLE", 0.0)
    go_on_after(RuntimeError("broken"))
    assert "stage_crashed" in caplog.text


def test_a_database_that_is_away_is_a_line_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "PAUSE_AFTER_TROUBLE", 0.0)
    go_on_after(DatabaseUnavailable("It is locked."))
    (note,) = (record for record in caplog.records if record.message == "duty_waits")
    assert (note.levelname, note.exc_info) == ("WARNING", None)
    assert note.__dict__["reason"] == "It is locked."


@pytest.mark.parametrize(
    ("runners", "heavy", "light", "all_kinds"),
    [
        (1, 1, set(), {"house/0"}),
        (3, 2, {"house/0"}, {"house/1", "house/2"}),
        (3, 1, {"house/0", "house/1"}, {"house/2"}),
    ],
)
def test_heavy_work_never_takes_all_hands(
    runners: int, heavy: int, light: set[str], all_kinds: set[str]
) -> None:
    """The first leave it to the others; a single one does everything."""
    work = Work()
    started_ones = started(work, HouseBell(), runners=runners, heavy=heavy)
    assert all(work.asked.acquire(timeout=PATIENCE) for _ in range(runners))
    assert started_ones.stop()
    assert work.owners.get(True, set()) == light
    assert work.owners[False] == all_kinds


def test_upkeep_runs_at_once_at_the_start() -> None:
    work = Work()
    runners = started(work, HouseBell())
    assert work.reaped.wait(PATIENCE)
    assert runners.stop()


def test_stopping_ends_every_thread_and_takes_no_new_stage() -> None:
    work, bell = Work(), HouseBell()
    runners = started(work, bell, runners=3)
    assert runners.alive == 3
    assert runners.stop()
    assert runners.stopping
    assert runners.alive == 0


def test_a_closed_house_takes_no_new_stage() -> None:
    """Between the signal and the end of the last connection nothing is begun."""
    work, bell = Work(), HouseBell()
    runners = started(work, bell)
    assert work.asked.acquire(timeout=PATIENCE)
    bell.close()
    work.waiting.append("stage")
    bell.work()
    assert runners.stop()
    assert list(work.waiting) == ["stage"]
