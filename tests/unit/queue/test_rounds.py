"""Duties go on, whatever happens; trouble is said once and waited out ever longer."""

from __future__ import annotations

import logging
import threading

import pytest

from pixtools.domain.errors import BrokerUnavailable
from pixtools.queue.rounds import Rounds


class Rests(threading.Event):
    """A stop that is set after so many rests, and remembers how long they were."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.taken: list[float] = []
        self._count = count

    def wait(self, timeout: float | None = None) -> bool:
        self.taken.append(timeout or 0.0)
        if len(self.taken) == self._count:
            self.set()
        return self.is_set()


class Duty:
    """Does in turn what it was given: rests so long, or raises."""

    def __init__(self, *turns: float | Exception) -> None:
        self._turns = list(turns)

    def __call__(self) -> float:
        turn = self._turns.pop(0)
        if isinstance(turn, Exception):
            raise turn
        return turn


def rests_of(*turns: float | Exception, longest: float = 1.0) -> list[float]:
    stop = Rests(len(turns))
    Rounds("relay", Duty(*turns), stop, longest).run()
    return stop.taken


def test_a_duty_says_for_how_long_to_rest() -> None:
    assert rests_of(5.0, 0.0, 7.0) == [5.0, 0.0, 7.0]


def test_pauses_grow_while_something_is_away_and_begin_anew_after_it() -> None:
    away = BrokerUnavailable
    assert rests_of(away(), away(), away(), away(), away(), 0.0, away()) == [
        *(0.2, 0.4, 0.8, 1.0, 1.0),
        *(0.0, 0.2),
    ]


def test_that_something_is_away_is_said_once_and_that_it_is_back_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    rests_of(BrokerUnavailable("gone"), BrokerUnavailable("gone"), 0.0, 0.0)
    said = [(record.message, bool(record.exc_info)) for record in caplog.records]
    assert said == [("duty_waits", False), ("duty_goes_on", False)]


def test_a_fault_of_ours_ends_no_duty_and_is_logged_each_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert rests_of(RuntimeError("a bug"), RuntimeError("a bug"), 3.0)[-1] == 3.0
    assert [record.message for record in caplog.records] == ["duty_failed"] * 2
