"""A scheduler's sign of life: there when it works, and not before."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from pixtools.domain.errors import BrokerUnavailable
from pixtools.domain.job import Lane, Wakeup
from pixtools.queue.bell import HouseBell
from pixtools.queue.config import BrokerConfig, SchedulerConfig
from pixtools.queue.scheduler import Scheduler, SchedulerDuties
from pixtools.testing.program import eventually

PATIENCE = 20.0


class Wire:
    """A broker that holds nothing, or is away."""

    def __init__(self, *, is_away: bool = False) -> None:
        self._is_away = is_away

    def post(self, wakeups: Sequence[Wakeup]) -> None:
        self._asked()

    def ready(self, lane: Lane) -> int:
        return self._asked()

    def consumers(self, lane: Lane) -> int:
        return self._asked()

    def dead_letters(self, lane: Lane) -> int:
        return self._asked()

    def close(self) -> None: ...

    def _asked(self) -> int:
        if self._is_away:
            raise BrokerUnavailable
        return 0


class Duties:
    """Work is always due, and reaping can be held up."""

    def __init__(self) -> None:
        self.looks = threading.Semaphore(0)
        self.reaping = threading.Event()

    def all(self) -> SchedulerDuties:
        return SchedulerDuties(
            relay=lambda post: 0,
            due_in=lambda: None,
            due=self._due,
            reap=self._reap,
            expire=lambda: 0,
        )

    def _due(self) -> dict[Lane, int]:
        self.looks.release()
        return {"default_queue": 1}

    def _reap(self) -> int:
        assert self.reaping.wait(PATIENCE)
        return 0


def always_about(heartbeat: Path) -> SchedulerConfig:
    return SchedulerConfig(
        broker=BrokerConfig(url="amqp://nowhere.invalid"),
        backstop=0.02,
        reconcile=0.02,
        reap=0.02,
        longest_pause=0.02,
        heartbeat_file=heartbeat,
        heartbeat_every=0.02,
        silence=1.0,
    )


def run_while(made: Scheduler, watch: Callable[[], None], duties: Duties) -> None:
    """Run a scheduler until who watches it has seen everything."""
    wrong: list[BaseException] = []

    def watch_and_stop() -> None:
        try:
            watch()
        except BaseException as error:  # noqa: BLE001 - raised again below
            wrong.append(error)
        duties.reaping.set()
        os.kill(os.getpid(), signal.SIGTERM)

    watching = threading.Thread(target=watch_and_stop)
    watching.start()
    made.run()
    watching.join()
    if wrong:
        raise wrong[0]


@pytest.mark.parametrize("is_away", [False, True])
def test_the_heartbeat_begins_with_the_work_and_stops_with_it(
    is_away: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A broker that is away is no reason to start a scheduler again."""
    heartbeat, duties = tmp_path / "heartbeat", Duties()
    wire = Wire(is_away=is_away)
    made = Scheduler(always_about(heartbeat), duties.all(), HouseBell(), wire)

    def beaten() -> int:
        return heartbeat.stat().st_mtime_ns if heartbeat.exists() else 0

    def watch() -> None:
        assert all(duties.looks.acquire(timeout=PATIENCE) for _ in range(3))
        assert not beaten()
        duties.reaping.set()
        eventually(lambda: beaten() > 0, PATIENCE)
        duties.reaping.clear()
        eventually(lambda: "heartbeat_withheld" in caplog.text, PATIENCE)
        last = beaten()
        duties.reaping.set()
        eventually(lambda: beaten() > last, PATIENCE)

    run_while(made, watch, duties)
