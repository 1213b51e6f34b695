"""Worker processes on a real RabbitMQ: nothing lost, nothing stuck, poison aside."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest
from tests.contract.queue.versions import V2
from tests.integration.queue.hands import (
    PATIENCE,
    Rabbit,
    hands,
    patient,
    wakeup,
    wakeups,
)
from tests.integration.queue.proxy import proxied
from tests.stopwatch import Stopwatch

from pixtools.queue.broker import Broker
from pixtools.queue.config import LANES
from pixtools.queue.topology import dead_letters_of
from pixtools.testing.program import STOP_SECONDS, eventually

GIVE_BACK = STOP_SECONDS / 2
"""Longer than a machine stalls: ended by force is not what is asked about."""


def test_every_token_is_spent_once_by_some_thread(
    rabbit: Rabbit, tmp_path: Path
) -> None:
    with hands(rabbit.url, tmp_path / "one") as worker:
        rabbit.broker.post([*wakeups(50), wakeup("ml_inference_queue", "denoise")])
        worker.eventually_ran(51)
        rabbit.eventually_ready(0)
        assert {line.split()[0] for line in worker.ran} <= {"one/0", "one/1"}
        assert len(worker.ran) == 51
        mine = {*LANES, *map(dead_letters_of, LANES)}
        assert {name for name in rabbit.queues() if "pidbox" not in name} == mine


def test_a_worker_takes_no_more_tokens_than_it_has_threads(
    rabbit: Rabbit, tmp_path: Path
) -> None:
    """So that the others find some; and one of two slots takes light work only."""
    with hands(rabbit.url, tmp_path / "one", lanes=("default_queue",)) as worker:
        worker.hold()
        rabbit.broker.post(wakeups(5))
        worker.eventually_ran(2)
        rabbit.eventually_ready(3)
        assert sorted(line.split()[1] for line in worker.ran) == ["False", "True"]
        worker.let_go()
        worker.eventually_ran(5)


def test_tokens_of_a_killed_worker_come_to_another(
    rabbit: Rabbit, tmp_path: Path
) -> None:
    with (
        hands(rabbit.url, tmp_path / "one") as first,
        hands(rabbit.url, tmp_path / "two", start=False) as second,
    ):
        first.hold()
        rabbit.broker.post(wakeups(4))
        first.eventually_ran(2)
        first.program.kill()
        second.start()
        second.eventually_ran(4)
        rabbit.eventually_ready(0)
        assert len(second.ran) == 4


def test_a_lost_connection_is_made_anew_and_the_work_goes_on(
    rabbit: Rabbit, tmp_path: Path
) -> None:
    """What runs meanwhile runs to its end; its token comes once more, harmlessly."""
    with (
        proxied(rabbit.url) as (wire, url),
        hands(url, tmp_path / "one") as worker,
    ):
        worker.hold()
        rabbit.broker.post(wakeups(1))
        worker.eventually_ran(1)
        wire.cut()
        rabbit.eventually_ready(1)
        wire.mend()
        worker.eventually_ran(2)
        worker.let_go()
        rabbit.broker.post(wakeups(10))
        worker.eventually_ran(12)
        rabbit.eventually_ready(0)
        worker.program.refuse_death()
        eventually(lambda: "token_comes_back" in worker.program.words(), PATIENCE)
        assert "Traceback" not in worker.program.words()


def test_what_nobody_understands_becomes_a_dead_letter_and_the_rest_is_done(
    rabbit: Rabbit, tmp_path: Path, free_port: int
) -> None:
    good = {"task": "pixtools.render.v1", "id": "id"}
    token = json.dumps([[], {"v": 1, "stage_id": "s"}, {}]).encode()
    with hands(rabbit.url, tmp_path / "one", metrics_port=free_port) as worker:
        rabbit.publish(token, good | {"task": "pixtools.render.v9"})
        rabbit.publish(token, good | {"task": "somebody.elses"})
        rabbit.publish(token, {})
        rabbit.publish(b"{", good)
        rabbit.publish(
            b"\x80\x04.", good, content_type="application/x-python-serialize"
        )
        rabbit.broker.post(wakeups(3))
        worker.eventually_ran(3)
        rabbit.eventually_dead(5)
        rabbit.eventually_ready(0)
        assert len(worker.ran) == 3
        assert worker.program.words().count("message_refused") == 5
        shown = scraped(free_port)
    assert 'pixtools_task_failures_total{task="unknown"} 3.0' in shown
    assert 'pixtools_task_failures_total{task="pixtools.render.v1"} 2.0' in shown
    assert "pixtools_worker_rss_bytes" in shown


def test_an_old_and_a_new_worker_live_side_by_side(
    rabbit: Rabbit, tmp_path: Path
) -> None:
    """Both take what is posted today; what comes next only the new one understands."""
    tomorrow = Broker(patient(rabbit.url), V2)
    with hands(rabbit.url, tmp_path / "new", newer=True) as new:
        tomorrow.post(wakeups(3))
        new.eventually_ran(3)
        with hands(rabbit.url, tmp_path / "old") as old:
            rabbit.eventually_heard_by(2)  # tokens go to whoever listens by turns
            rabbit.broker.post(wakeups(40))
            eventually(lambda: len(old.ran) + len(new.ran) == 43, PATIENCE)
            assert old.ran
            assert len(new.ran) > 3
            assert rabbit.broker.dead_letters("default_queue") == 0
            new.program.stop()
            tomorrow.post(wakeups(1))
            rabbit.eventually_dead(1)
    tomorrow.close()


def test_asked_to_stop_a_worker_begins_nothing_and_gives_back_what_takes_too_long(
    rabbit: Rabbit, tmp_path: Path
) -> None:
    with hands(
        rabbit.url, tmp_path / "one", finish_within=2.0, give_back_within=GIVE_BACK
    ) as worker:
        worker.hold()
        rabbit.broker.post(wakeups(5))
        worker.eventually_ran(2)
        began = time.monotonic()
        # By the time that two are given back, no more are sent in their place.
        with Stopwatch() as watch:
            assert worker.program.stop(STOP_SECONDS) == 0
        assert time.monotonic() - began >= 2
        assert watch.seconds < 10
        assert len(worker.given_back) == 2
        assert len(worker.ran) == 2
        rabbit.eventually_ready(3)


def test_asked_to_stop_a_worker_lets_short_work_end(
    rabbit: Rabbit, tmp_path: Path
) -> None:
    with hands(rabbit.url, tmp_path / "one", finish_within=20.0) as worker:
        worker.hold()
        rabbit.broker.post(wakeups(1))
        worker.eventually_ran(1)
        worker.program.send(signal.SIGTERM)
        eventually(lambda: "worker_stopping" in worker.program.words(), PATIENCE)
        worker.let_go()
        with Stopwatch() as watch:
            assert worker.program.process.wait(STOP_SECONDS) == 0
        assert watch.seconds < 10
        assert worker.given_back == []
        rabbit.eventually_ready(0)


@pytest.mark.parametrize("ever_connected", [True, False])
def test_a_worker_stops_as_softly_while_its_broker_is_away(
    rabbit: Rabbit, tmp_path: Path, ever_connected: bool
) -> None:
    with (
        proxied(rabbit.url) as (wire, url),
        hands(
            url,
            tmp_path / "one",
            start=False,
            finish_within=0.2,
            give_back_within=GIVE_BACK,
        ) as worker,
    ):
        if ever_connected:
            worker.start()
            worker.hold()
            rabbit.broker.post(wakeups(1))
            worker.eventually_ran(1)
        wire.cut()
        if not ever_connected:
            worker.program.start()
        eventually(lambda: "broker_away" in worker.program.words(), PATIENCE)
        with Stopwatch() as watch:
            assert worker.program.stop(STOP_SECONDS) == 0
        assert watch.seconds < 10
        assert len(worker.given_back) == ever_connected


def test_asked_twice_a_worker_ends_at_once_and_its_token_comes_back(
    rabbit: Rabbit, tmp_path: Path
) -> None:
    with hands(rabbit.url, tmp_path / "one", finish_within=600.0) as worker:
        worker.hold()
        rabbit.broker.post(wakeups(1))
        worker.eventually_ran(1)
        worker.program.send(signal.SIGTERM)
        eventually(lambda: "worker_stopping" in worker.program.words(), PATIENCE)
        assert worker.program.stop() == 128 + signal.SIGTERM
        rabbit.eventually_ready(1)


def test_a_worker_whose_work_hangs_ends_by_force(
    rabbit: Rabbit, tmp_path: Path
) -> None:
    with hands(
        rabbit.url, tmp_path / "one", finish_within=600.0, give_back_within=-599.8
    ) as worker:
        worker.hold()
        rabbit.broker.post(wakeups(1))
        worker.eventually_ran(1)
        assert worker.program.stop() == 1
        assert "stopped_by_force" in worker.program.words()


def test_the_heartbeat_goes_on_while_the_broker_is_away_and_stops_with_the_pixels(
    rabbit: Rabbit, tmp_path: Path
) -> None:
    """Restarting a worker would not bring a broker back, but it brings pixels back."""
    with (
        proxied(rabbit.url) as (wire, url),
        hands(url, tmp_path / "one") as worker,
    ):
        wire.cut()
        eventually(lambda: "broker_away" in worker.program.words(), PATIENCE)
        beaten = worker.heartbeat.stat().st_mtime_ns
        eventually(lambda: worker.heartbeat.stat().st_mtime_ns > beaten, PATIENCE)
        wire.mend()
        eventually(lambda: rabbit.broker.consumers("default_queue") == 1, PATIENCE)
        (worker.folder / "no_pixels").touch()
        eventually(lambda: "heartbeat_withheld" in worker.program.words(), PATIENCE)
        beaten = worker.heartbeat.stat().st_mtime_ns
        said = worker.program.words().count("heartbeat_withheld")
        eventually(
            lambda: worker.program.words().count("heartbeat_withheld") > said + 2,
            PATIENCE,
        )
        assert worker.heartbeat.stat().st_mtime_ns == beaten


def test_a_worker_that_starts_before_its_broker_waits_for_it(
    rabbit: Rabbit, tmp_path: Path
) -> None:
    with (
        proxied(rabbit.url) as (wire, url),
        hands(url, tmp_path / "one", start=False) as worker,
    ):
        wire.cut()
        worker.program.start()
        eventually(lambda: "broker_away" in worker.program.words(), PATIENCE)
        rabbit.broker.post(wakeups(1))
        wire.mend()
        worker.eventually_ran(1)


def test_queues_that_were_declared_otherwise_end_a_worker_with_one_sentence(
    rabbit: Rabbit, tmp_path: Path
) -> None:
    rabbit.delete_queue("default_queue")
    rabbit.declare("default_queue", {"x-queue-type": "classic"})
    try:
        with hands(rabbit.url, tmp_path / "one", start=False) as worker:
            worker.program.start()
            assert worker.program.process.wait(PATIENCE) == 1
            last = worker.program.words().strip().splitlines()[-1]
            assert "rabbitmqctl delete_queue" in last
            assert "default_queue" in last
            assert "Unrecoverable" not in worker.program.words()
    finally:
        rabbit.delete_queue("default_queue")


def scraped(port: int) -> str:
    import httpx2

    with httpx2.Client(timeout=PATIENCE, trust_env=False) as http:
        return http.get(f"http://127.0.0.1:{port}/metrics").text
