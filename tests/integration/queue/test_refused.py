"""A worker that RabbitMQ does not let in says so once and waits, as for one away."""

from __future__ import annotations

import time
from pathlib import Path

from tests.integration.queue.hands import PATIENCE, Rabbit, hands, wakeups

from pixtools.testing.program import eventually


def test_a_worker_is_patient_with_a_broker_that_refuses_it(
    rabbit: Rabbit, tmp_path: Path
) -> None:
    """Rights may be about to come, and a key is changed in two places one by one."""
    with (
        rabbit.newcomer() as (url, let_in),
        hands(url, tmp_path / "one", start=False) as worker,
    ):
        worker.program.start()
        eventually(lambda: "broker_away" in worker.program.words(), PATIENCE)
        beaten = _beaten(worker.heartbeat)
        eventually(lambda: _beaten(worker.heartbeat) > beaten, PATIENCE)
        time.sleep(1.5)  # Celery would have come back ten times, with two tracebacks
        assert worker.program.words().split() == ["WARNING", "broker_away"]
        let_in()
        rabbit.broker.post(wakeups(1))
        worker.eventually_ran(1)
        assert "broker_back" in worker.program.words()


def test_a_worker_that_may_not_hear_a_queue_is_as_patient(
    rabbit: Rabbit, tmp_path: Path
) -> None:
    """It is let in, and has every queue: it is refused only when it wants to consume."""
    with (
        rabbit.newcomer() as (url, let_in),
        hands(url, tmp_path / "one", start=False) as worker,
    ):
        let_in(read="^pixtools")
        worker.program.start()
        eventually(lambda: "broker_away" in worker.program.words(), PATIENCE)
        time.sleep(1.5)  # Celery would have come back dozens of times
        assert worker.program.words().split() == ["WARNING", "broker_away"]
        let_in()
        rabbit.broker.post(wakeups(1))
        worker.eventually_ran(1)
        assert worker.program.words().count("broker_back") == 1


def test_a_worker_with_a_wrong_key_stops_when_it_is_told(
    rabbit: Rabbit, tmp_path: Path
) -> None:
    with rabbit.newcomer() as (url, _):
        wrong = url.replace("@", "x@")
        with hands(wrong, tmp_path / "one", start=False) as worker:
            worker.program.start()
            eventually(lambda: "broker_away" in worker.program.words(), PATIENCE)
            assert worker.program.stop() == 0
            assert worker.program.words().count("broker_away") == 1
            assert "Traceback" not in worker.program.words()


def _beaten(heartbeat: Path) -> int:
    return heartbeat.stat().st_mtime_ns if heartbeat.exists() else 0
