"""Threads that run stages: the embedded twin of the Celery workers.

They hold no truth. A runner that dies with its process leaves a lease that
lapses, and the reaper queues the stage again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TypeVar

from pixtools.domain.errors import Unavailable
from pixtools.domain.job import Stage
from pixtools.queue.bell import HouseBell
from pixtools.queue.config import RunnerConfig

T = TypeVar("T")
log = logging.getLogger(__name__)
PAUSE_AFTER_TROUBLE = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Duties:
    """What runners do, as plain callables, so that tests can drive them.

    `run_next(owner, light_only)` claims and runs one stage and answers it, or None;
    `due_in(light_only)` is the time until the next waiting stage may run, if one
    waits; `reap()` and `expire()` are rounds of upkeep.
    """

    run_next: Callable[[str, bool], Stage | None]
    due_in: Callable[[bool], timedelta | None]
    reap: Callable[[], int]
    expire: Callable[[], int]


class Runners:
    """The runner threads and the upkeep thread of one process.

    The first runners leave heavy stages to the last `heavy` ones, so that a light one
    never waits until a heavy one has ended.
    """

    def __init__(
        self, duties: Duties, bell: HouseBell, config: RunnerConfig, owner: str
    ) -> None:
        self._duties = duties
        self._bell = bell
        self._config = config
        self._owner = owner
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start all threads; they end with `stop`."""
        for number in range(self._config.runners):
            owner = f"{self._owner}/{number}"
            light_only = number < self._config.runners - self._config.heavy
            self._spawn(f"runner-{number}", partial(self._run, owner, light_only))
        self._spawn("upkeep", self._keep_up)

    def stop(self) -> bool:
        """Let running stages end within `stop_within`; False if some were left."""
        self._stopping.set()
        self._bell.work()
        for thread in self._threads:
            thread.join(self._config.stop_within)
        return not any(thread.is_alive() for thread in self._threads)

    @property
    def count(self) -> int:
        """How many runner threads there should be."""
        return self._config.runners

    @property
    def alive(self) -> int:
        """How many runner threads are at work."""
        return sum(t.is_alive() for t in self._threads if t.name != "upkeep")

    @property
    def stopping(self) -> bool:
        """Whether no new stage will be taken."""
        return self._stopping.is_set() or self._bell.closed

    def _spawn(self, name: str, body: Callable[[], None]) -> None:
        thread = threading.Thread(target=body, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _run(self, owner: str, light_only: bool) -> None:
        run_next = partial(self._duties.run_next, owner, light_only)
        while not self.stopping:
            heard = self._bell.rings
            if not self._tried("stage_crashed", run_next):
                self._bell.wait_for_work(heard, self._rest(light_only))

    def _rest(self, light_only: bool) -> float:
        due_in = partial(self._duties.due_in, light_only)
        due = self._tried("queue_unreadable", due_in)
        if not isinstance(due, timedelta):
            return self._config.backstop
        return min(self._config.backstop, max(0.01, due.total_seconds()))

    def _keep_up(self) -> None:
        rounds_to_expiry = max(1, round(self._config.expiry / self._config.upkeep))
        turn = 0
        while not self._stopping.is_set():
            self._tried("reaping_failed", self._duties.reap)
            if turn % rounds_to_expiry == 0:
                self._tried("expiring_failed", self._duties.expire)
            turn += 1
            self._stopping.wait(self._config.upkeep)

    def _tried(self, event: str, duty: Callable[[], T]) -> T | None:
        """One duty; trouble is logged and waited out, never the end of a thread."""
        try:
            return duty()
        except Unavailable as error:
            log.warning("duty_waits", extra={"duty": event, "reason": error.detail})
        except Exception:
            log.exception(event)
        self._stopping.wait(PAUSE_AFTER_TROUBLE)
        return None
