"""Memory is admitted first come, first served, and always given back."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

import pytest

from pixtools.domain.errors import Canceled
from pixtools.workers.budget import MemoryBudget


class Waiter:
    """A job in a thread of its own that holds its memory until it is let go."""

    def __init__(self, budget: MemoryBudget, needed: int) -> None:
        self.admitted = threading.Event()
        self.asked = threading.Event()
        self._go = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(budget, needed))
        self._thread.start()

    def _run(self, budget: MemoryBudget, needed: int) -> None:
        with budget.job(self.asked.set) as admit:
            admit(needed)
            self.admitted.set()
            self._go.wait()

    def end(self) -> None:
        self._go.set()
        self._thread.join()


@pytest.fixture
def waiter() -> Iterator[Callable[[MemoryBudget, int], Waiter]]:
    with contextlib.ExitStack() as stack:

        def start(budget: MemoryBudget, needed: int) -> Waiter:
            waiter = Waiter(budget, needed)
            stack.callback(waiter.end)
            return waiter

        yield start


Start = Callable[[MemoryBudget, int], Waiter]


def test_jobs_that_fit_together_run_together(waiter: Start) -> None:
    budget = MemoryBudget(100)
    assert all(waiter(budget, 50).admitted.wait(5) for _ in range(2))
    assert budget.taken == 100


def test_a_job_waits_until_there_is_room(waiter: Start) -> None:
    budget = MemoryBudget(100)
    first = waiter(budget, 60)
    assert first.admitted.wait(5)
    second = waiter(budget, 41)
    assert second.asked.wait(5)
    assert not second.admitted.is_set()
    first.end()
    assert second.admitted.wait(5)
    assert budget.taken == 41


def test_a_small_job_does_not_overtake_a_large_one(waiter: Start) -> None:
    budget = MemoryBudget(100)
    first = waiter(budget, 60)
    assert first.admitted.wait(5)
    large = waiter(budget, 90)
    assert large.asked.wait(5)
    small = waiter(budget, 10)
    assert small.asked.wait(5)
    assert not small.admitted.is_set()
    first.end()
    assert large.admitted.wait(5)
    assert small.admitted.wait(5)


def test_a_job_larger_than_everything_runs_alone(waiter: Start) -> None:
    budget = MemoryBudget(100)
    small = waiter(budget, 1)
    assert small.admitted.wait(5)
    huge = waiter(budget, 1000)
    assert huge.asked.wait(5)
    assert not huge.admitted.is_set()
    small.end()
    assert huge.admitted.wait(5)


def test_a_job_that_gives_up_leaves_its_place_to_others(waiter: Start) -> None:
    budget = MemoryBudget(100)
    first = waiter(budget, 100)
    assert first.admitted.wait(5)

    def cancel() -> None:
        raise Canceled

    with pytest.raises(Canceled), budget.job(cancel) as admit:
        admit(50)
    last = waiter(budget, 10)
    first.end()
    assert last.admitted.wait(5)
    assert budget.taken == 10


def test_a_job_that_fails_gives_its_memory_back() -> None:
    budget = MemoryBudget(100)
    with contextlib.suppress(Canceled), budget.job(lambda: None) as admit:
        admit(50)
        raise Canceled
    assert budget.taken == 0
