"""Slots: heavy work leaves one of them free, and nothing is forgotten by it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from pixtools.domain.errors import DatabaseUnavailable
from pixtools.domain.job import Lane, Stage
from pixtools.queue.config import LANES, BrokerConfig, WorkerConfig
from pixtools.queue.meters import WorkerMeters
from pixtools.queue.slots import Slots, heavy_share

PATIENCE = 10.0
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
HEAVY_MS = 8000


def stage(cost_ms: int = 100, *, attempt: int = 1) -> Stage:
    return Stage(
        id="stage",
        job_id="job",
        kind="render",
        attempt=attempt,
        cost_ms=cost_ms,
        run_at=BEGAN,
        started_at=BEGAN + timedelta(seconds=2),
        created_at=BEGAN,
    )


LIGHT, HEAVY = stage(), stage(HEAVY_MS)


class Queue:
    """A database's queue; heavy stages run until they are let go."""

    def __init__(self, *waiting: Stage) -> None:
        self.waiting = list(waiting)
        self.looks: list[tuple[str, bool]] = []
        self.ran: list[Stage] = []
        self.begun = threading.Semaphore(0)
        self.let_go = threading.Event()
        self._lock = threading.Lock()

    def run_next(self, owner: str, light_only: bool) -> Stage | None:
        with self._lock:
            self.looks.append((owner, light_only))
            found = next(
                (each for each in self.waiting if not (light_only and is_heavy(each))),
                None,
            )
            if found is None:
                return None
            self.waiting.remove(found)
        self.begun.release()
        if is_heavy(found):
            assert self.let_go.wait(PATIENCE)
        self.ran.append(found)
        return found


def is_heavy(stage: Stage) -> bool:
    return stage.cost_ms >= HEAVY_MS


def slots_of(
    run_next: Callable[[str, bool], Stage | None],
    *,
    concurrency: int = 2,
    lanes: tuple[Lane, ...] = LANES,
    meters: WorkerMeters | None = None,
    pause: float = 0.0,
) -> Slots:
    config = WorkerConfig(
        broker=BrokerConfig(url="amqp://nowhere"),
        owner="house",
        lanes=lanes,
        concurrency=concurrency,
        pause_after_trouble=pause,
    )
    return Slots(config, run_next, is_heavy, meters or WorkerMeters())


def served_aside(slots: Slots) -> threading.Thread:
    thread = threading.Thread(
        target=slots.serve, args=("default_queue", "pixtools.render.v1"), daemon=True
    )
    thread.start()
    return thread


def serve(slots: Slots) -> None:
    slots.serve("default_queue", "pixtools.render.v1")


def test_a_token_runs_one_stage() -> None:
    queue = Queue(LIGHT, LIGHT)
    serve(slots_of(queue.run_next))
    assert queue.ran == [LIGHT]
    assert queue.looks == [("house/0", False)]


def test_a_token_that_finds_nothing_is_spent() -> None:
    queue = Queue()
    serve(slots_of(queue.run_next))
    assert len(queue.looks) == 1


def test_while_heavy_work_runs_the_last_slot_takes_light_work_only() -> None:
    queue = Queue(HEAVY, HEAVY, LIGHT)
    slots = slots_of(queue.run_next)
    first = served_aside(slots)
    assert queue.begun.acquire(timeout=PATIENCE)
    serve(slots)
    assert queue.ran == [LIGHT]
    assert queue.looks == [("house/0", False), ("house/1", True)]
    queue.let_go.set()
    first.join(PATIENCE)


def test_after_a_heavy_stage_its_slot_looks_again_without_a_token() -> None:
    queue = Queue(HEAVY, HEAVY, LIGHT)
    queue.let_go.set()
    serve(slots_of(queue.run_next))
    assert queue.ran == [HEAVY, HEAVY, LIGHT]


def test_what_the_light_slot_had_to_leave_is_taken_when_the_other_is_done() -> None:
    """The token of a heavy stage was spent while the first slot did light work."""
    queue = Queue(LIGHT)
    went_on = threading.Event()

    def run_next(owner: str, light_only: bool) -> Stage | None:
        found = queue.run_next(owner, light_only)
        if found is LIGHT:
            queue.waiting.append(HEAVY)
            assert went_on.wait(PATIENCE)
        return found

    slots = slots_of(run_next)
    first = served_aside(slots)
    assert queue.begun.acquire(timeout=PATIENCE)
    serve(slots)
    assert queue.looks[-1] == ("house/1", True)
    queue.let_go.set()
    went_on.set()
    first.join(PATIENCE)
    assert queue.ran == [LIGHT, HEAVY]


def test_the_light_slot_takes_what_it_had_to_leave_once_the_other_is_gone() -> None:
    """The first slot ended while the second came back empty-handed."""
    queue = Queue(LIGHT)
    empty_handed = threading.Event()
    first: list[threading.Thread] = []

    def run_next(owner: str, light_only: bool) -> Stage | None:
        if owner == "house/0" and not light_only:
            queue.begun.release()
            assert empty_handed.wait(PATIENCE)
        found = queue.run_next(owner, light_only)
        if light_only:
            queue.waiting.append(HEAVY)
            empty_handed.set()
            first[0].join(PATIENCE)
        return found

    slots = slots_of(run_next)
    queue.let_go.set()
    first.append(served_aside(slots))
    assert queue.begun.acquire(timeout=PATIENCE)
    queue.waiting.clear()
    serve(slots)
    assert queue.ran == [HEAVY]


@pytest.mark.parametrize(
    ("concurrency", "lanes", "share"),
    [
        (1, LANES, 1),
        (2, LANES, 1),
        (4, ("default_queue",), 3),
        (2, ("ml_inference_queue",), 2),
    ],
)
def test_how_many_slots_heavy_work_may_fill(
    concurrency: int, lanes: tuple[Lane, ...], share: int
) -> None:
    assert heavy_share(concurrency, lanes) == share


def test_a_database_that_is_away_costs_one_look_and_one_line_for_each_token(
    caplog: pytest.LogCaptureFixture,
) -> None:
    looks = []

    def run_next(owner: str, light_only: bool) -> Stage | None:
        looks.append(owner)
        raise DatabaseUnavailable

    meters = WorkerMeters()
    serve(slots_of(run_next, meters=meters))
    assert len(looks) == 1
    assert [record.message for record in caplog.records] == ["token_spent_in_vain"]
    assert caplog.records[0].exc_info is None
    assert "pixtools_task_failures_total{" not in exposition(meters)


def test_tokens_are_not_burned_while_the_database_is_away() -> None:
    """The slot keeps its token for a while, so that the queue does not run empty."""

    def run_next(owner: str, light_only: bool) -> Stage | None:
        raise DatabaseUnavailable

    slots = slots_of(run_next, pause=7.0)
    paused: list[float] = []

    class Stopping(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            paused.append(timeout or 0)
            return False

    slots._stopping = Stopping()
    serve(slots)
    assert paused == [7.0]


def test_a_fault_of_ours_is_logged_once_counted_and_spends_the_token(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def run_next(owner: str, light_only: bool) -> Stage | None:
        raise RuntimeError("a bug")

    meters = WorkerMeters()
    serve(slots_of(run_next, meters=meters))
    assert [record.message for record in caplog.records] == ["stage_crashed"]
    assert caplog.records[0].exc_info
    failed = 'pixtools_task_failures_total{task="pixtools.render.v1"} 1.0'
    assert failed in exposition(meters)


def test_slots_are_free_again_after_a_crash() -> None:
    crashes = [RuntimeError("a bug"), RuntimeError("another")]
    queue = Queue(HEAVY)
    queue.let_go.set()

    def run_next(owner: str, light_only: bool) -> Stage | None:
        if crashes:
            raise crashes.pop()
        return queue.run_next(owner, light_only)

    slots = slots_of(run_next)
    for _ in range(3):
        serve(slots)
    assert queue.ran == [HEAVY]


def test_a_stopping_process_begins_nothing() -> None:
    queue = Queue(LIGHT)
    slots = slots_of(queue.run_next)
    slots.stop()
    serve(slots)
    assert queue.looks == []


def test_a_stopping_process_does_not_look_again_after_a_heavy_stage() -> None:
    queue = Queue(HEAVY, HEAVY)
    slots = slots_of(queue.run_next)
    first = served_aside(slots)
    assert queue.begun.acquire(timeout=PATIENCE)
    slots.stop()
    queue.let_go.set()
    first.join(PATIENCE)
    assert queue.ran == [HEAVY]


def test_waiting_working_and_trying_again_are_measured_by_lane() -> None:
    queue, meters = Queue(LIGHT, stage(attempt=2)), WorkerMeters()
    slots = slots_of(queue.run_next, meters=meters)
    serve(slots)
    serve(slots)
    shown = exposition(meters)
    lane = 'lane="default_queue"'
    assert f"pixtools_job_queue_wait_seconds_sum{{{lane}}} 2.0" in shown
    assert f"pixtools_job_duration_seconds_count{{{lane}}} 2.0" in shown
    assert f"pixtools_jobs_active{{{lane}}} 0.0" in shown
    assert 'pixtools_task_retries_total{task="pixtools.render"} 1.0' in shown


def exposition(meters: WorkerMeters) -> str:
    from prometheus_client import generate_latest

    return generate_latest(meters.registry).decode()
