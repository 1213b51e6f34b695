"""The pool against children that work, dawdle, die and lie; all of them real."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from pixtools.domain.errors import (
    Canceled,
    CorruptImage,
    LeaseLost,
    PixtoolsError,
    TimedOut,
    WorkerLost,
)
from pixtools.domain.limits import MIB, Limits
from pixtools.domain.plan import Encode, OutputPlan, RenderPlan
from pixtools.domain.report import Report
from pixtools.workers.config import WorkersConfig
from pixtools.workers.pool import ProcessRenderer

FAKE = Path(__file__).parent / "fake_child.py"
PLAN = RenderPlan(
    outputs=(OutputPlan(id="a", action="convert", encode=Encode(format="jpg")),),
    metadata=True,
)


class Bench:
    """A pool of fake children, with jobs that run in threads of their own."""

    def __init__(self, folder: Path, behaviour: str, **config: Any) -> None:
        command = (sys.executable, str(FAKE), behaviour)
        self.renderer = ProcessRenderer(WorkersConfig(command=command, **config))
        self.threads = ThreadPoolExecutor(8)
        self._folder = folder
        self._count = 0

    def scratch(self) -> Path:
        self._count += 1
        folder = self._folder / str(self._count)
        folder.mkdir()
        return folder

    def render(
        self,
        scratch: Path | None = None,
        *,
        megabytes: int = 1,
        checkpoint: Callable[[float], None] = lambda _: None,
        timeout: float = 60,
    ) -> Report:
        scratch = scratch or self.scratch()
        source = scratch / "source"
        source.write_text(str(megabytes))
        return self.renderer.render(
            source,
            PLAN,
            scratch,
            assets={},
            limits=Limits(),
            checkpoint=checkpoint,
            timeout=timeout,
        )

    def begin(self, scratch: Path, **options: Any) -> Future[Report]:
        return self.threads.submit(self.render, scratch, **options)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    with contextlib.ExitStack() as stack:

        def build(behaviour: str, **config: Any) -> Bench:
            bench = Bench(tmp_path, behaviour, **config)
            stack.callback(bench.threads.shutdown)
            stack.callback(bench.renderer.close)
            return bench

        yield build


def eventually(condition: Callable[[], object], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


def pid_of(report: Report) -> int:
    assert report.metadata is not None
    pid: int = report.metadata["pid"]
    return pid


def test_a_job_is_done_in_a_child_that_stays_warm(bench: Callable[..., Bench]) -> None:
    pool = bench("works")
    first, second = pool.render(), pool.render()
    assert pid_of(first) == pid_of(second) != os.getpid()
    (child,) = pool.renderer.children()
    assert (child.pid, child.busy, child.jobs) == (pid_of(first), False, 2)
    assert child.rss_bytes > MIB


def test_a_childs_abilities_are_known_before_any_job(
    bench: Callable[..., Bench],
) -> None:
    assert bench("works").renderer.capabilities().readable == ("jpg",)


def test_as_many_jobs_run_at_once_as_there_may_be_children(
    bench: Callable[..., Bench],
) -> None:
    pool = bench("waits", count=2)
    scratches = [pool.scratch() for _ in range(3)]
    jobs = [pool.begin(scratch) for scratch in scratches[:2]]
    eventually(lambda: all((s / "started").exists() for s in scratches[:2]))
    jobs.append(pool.begin(scratches[2]))
    assert len(pool.renderer.children()) == 2
    assert not (scratches[2] / "started").exists()
    for scratch in scratches:
        (scratch / "go_on").touch()
    assert len({pid_of(job.result()) for job in jobs}) == 2


def test_progress_reaches_the_callers_own_thread(bench: Callable[..., Bench]) -> None:
    pool, scratch = bench("waits"), None
    scratch = pool.scratch()
    heard: list[tuple[float, int]] = []

    def checkpoint(fraction: float) -> None:
        heard.append((fraction, threading.get_ident()))
        if fraction == 0.5:
            (scratch / "go_on").touch()

    pool.render(scratch, checkpoint=checkpoint)
    assert {thread for _, thread in heard} == {threading.get_ident()}
    assert heard[-1][0] == 0.5


def test_a_silent_job_is_still_asked_about_twice_a_second(
    bench: Callable[..., Bench],
) -> None:
    pool = bench("deaf", grace_seconds=0.0)
    asked: list[float] = []

    def checkpoint(fraction: float) -> None:
        asked.append(time.monotonic())
        if len(asked) == 4:
            raise Canceled

    with pytest.raises(Canceled):
        pool.render(checkpoint=checkpoint)
    gaps = [after - before for before, after in itertools.pairwise(asked)]
    assert sorted(gaps)[1] < 0.6


def test_a_canceled_child_that_listens_is_kept(bench: Callable[..., Bench]) -> None:
    pool = bench("waits")
    scratch = pool.scratch()

    def lose_the_lease(fraction: float) -> None:
        if (scratch / "started").exists():
            raise LeaseLost

    with pytest.raises(LeaseLost):
        pool.render(scratch, checkpoint=lose_the_lease)
    (child,) = pool.renderer.children()
    later = pool.scratch()
    (later / "go_on").touch()
    assert pid_of(pool.render(later)) == child.pid


def test_a_canceled_child_that_does_not_listen_is_killed(
    bench: Callable[..., Bench],
) -> None:
    pool = bench("deaf", grace_seconds=0.1)
    scratch = pool.scratch()

    def cancel(fraction: float) -> None:
        if (scratch / "started").exists():
            raise Canceled

    with pytest.raises(Canceled):
        pool.render(scratch, checkpoint=cancel)
    assert pool.renderer.children() == ()


def test_work_that_takes_too_long_is_killed_and_fails_for_good(
    bench: Callable[..., Bench],
) -> None:
    pool = bench("deaf")
    began = time.monotonic()
    with pytest.raises(TimedOut, match=r"longer than 0\.3 seconds") as caught:
        pool.render(timeout=0.3)
    assert not caught.value.retryable
    assert time.monotonic() - began < 10
    assert pool.renderer.children() == ()


@pytest.mark.parametrize(
    ("behaviour", "sentence"),
    [("segfaults", "ended by SIGSEGV"), ("leaves", "exit status 3")],
)
def test_a_child_that_dies_costs_one_attempt_and_nothing_else(
    bench: Callable[..., Bench], behaviour: str, sentence: str
) -> None:
    pool = bench(behaviour)
    for _ in range(2):  # the second job has a child again
        with pytest.raises(WorkerLost, match=sentence) as caught:
            pool.render()
        assert caught.value.retryable


def test_kill_9_is_noticed_at_once(bench: Callable[..., Bench]) -> None:
    pool = bench("waits")
    scratch = pool.scratch()
    job = pool.begin(scratch)
    eventually((scratch / "started").exists)
    os.kill(pool.renderer.children()[0].pid, signal.SIGKILL)
    with pytest.raises(WorkerLost, match="SIGKILL"):
        job.result(timeout=5)


def test_an_idle_child_that_died_is_replaced_unnoticed(
    bench: Callable[..., Bench],
) -> None:
    pool = bench("works")
    gone = pid_of(pool.render())
    os.kill(gone, signal.SIGKILL)
    eventually(lambda: not pool.renderer.children())
    assert pid_of(pool.render()) != gone


def test_the_childs_domain_errors_are_raised_as_they_are(
    bench: Callable[..., Bench],
) -> None:
    pool = bench("finds_it_corrupt")
    with pytest.raises(CorruptImage, match="The JPEG is broken"):
        pool.render()
    assert len(pool.renderer.children()) == 1


def test_a_bug_in_the_engine_fails_the_job_for_good_and_spares_the_child(
    bench: Callable[..., Bench], caplog: pytest.LogCaptureFixture
) -> None:
    pool = bench("has_a_bug")
    with pytest.raises(PixtoolsError, match=r"unexpectedly \(ValueError\)") as caught:
        pool.render()
    assert not caught.value.retryable
    assert len(pool.renderer.children()) == 1
    pool.renderer.close()
    assert "ValueError: a bug" in caplog.text


@pytest.mark.parametrize(
    "lie", ["no_json", "huge_frame", "deep", "strange_type", "other_job", "garbage"]
)
def test_a_child_that_lies_is_ended(bench: Callable[..., Bench], lie: str) -> None:
    pool = bench(lie)
    with pytest.raises(WorkerLost, match="broke its protocol"):
        pool.render()
    assert pool.renderer.children() == ()


@pytest.mark.parametrize("manners", ["mute", "rude"])
def test_a_child_that_does_not_say_hello_is_ended(
    bench: Callable[..., Bench], manners: str
) -> None:
    pool = bench(manners, start_seconds=0.5)
    with pytest.raises(WorkerLost):
        pool.renderer.capabilities()
    assert pool.renderer.children() == ()


def test_a_program_that_can_not_be_started_is_named(tmp_path: Path) -> None:
    nowhere = WorkersConfig(command=(str(tmp_path / "nothing"),))
    with (
        ProcessRenderer(nowhere) as renderer,
        pytest.raises(WorkerLost, match="nothing"),
    ):
        renderer.capabilities()


def test_a_noisy_child_is_logged_in_measure(
    bench: Callable[..., Bench], caplog: pytest.LogCaptureFixture
) -> None:
    pool = bench("chatters")
    with caplog.at_level(logging.WARNING, "pixtools.workers"):
        pool.render()
    assert 0 < len(caplog.records) <= 50
    assert "\x1b" not in caplog.text


def test_a_child_that_has_grown_is_replaced(bench: Callable[..., Bench]) -> None:
    pool = bench("hoards", recycle_rss_bytes=64 * MIB)
    first = pid_of(pool.render())
    eventually(lambda: not psutil.pid_exists(first))
    assert pid_of(pool.render()) != first


def test_a_child_is_replaced_after_so_many_jobs(bench: Callable[..., Bench]) -> None:
    pool = bench("works", recycle_jobs=2)
    pids = [pid_of(pool.render()) for _ in range(4)]
    assert pids[0] == pids[1] != pids[2] == pids[3]


def test_children_without_work_are_retired_except_those_kept(
    bench: Callable[..., Bench],
) -> None:
    pool = bench("waits", count=3, kept=1, idle_seconds=0.2)
    scratches = [pool.scratch() for _ in range(3)]
    jobs = [pool.begin(scratch) for scratch in scratches]
    eventually(lambda: all((s / "started").exists() for s in scratches))
    for scratch in scratches:
        (scratch / "go_on").touch()
    for job in jobs:
        job.result()
    eventually(lambda: len(pool.renderer.children()) == 1)


def test_jobs_share_the_memory_that_the_pool_may_use(
    bench: Callable[..., Bench],
) -> None:
    pool = bench("waits", count=3, memory_bytes=100 * MIB)
    large, larger, small = (pool.scratch() for _ in range(3))
    jobs = [pool.begin(large, megabytes=60)]
    eventually((large / "started").exists)
    jobs.append(pool.begin(larger, megabytes=90))
    eventually(lambda: len(pool.renderer.children()) == 2)
    assert not (larger / "started").exists()
    for scratch in (large, larger, small):
        (scratch / "go_on").touch()
    jobs.append(pool.begin(small, megabytes=1))
    for job in jobs:
        job.result(timeout=30)


def test_a_job_that_waits_for_memory_can_be_canceled(
    bench: Callable[..., Bench],
) -> None:
    pool = bench("waits", count=2, memory_bytes=100 * MIB)
    large, waiting = pool.scratch(), pool.scratch()
    job = pool.begin(large, megabytes=60)
    eventually((large / "started").exists)

    def cancel(fraction: float) -> None:
        if len(pool.renderer.children()) == 2:
            raise Canceled

    with pytest.raises(Canceled):
        pool.render(waiting, megabytes=60, checkpoint=cancel)
    assert not (waiting / "started").exists()
    assert len(pool.renderer.children()) == 2
    (large / "go_on").touch()
    job.result(timeout=30)


def test_closing_ends_every_child_and_every_job(bench: Callable[..., Bench]) -> None:
    pool = bench("waits", count=2)
    scratch = pool.scratch()
    job = pool.begin(scratch)
    eventually((scratch / "started").exists)
    pids = [child.pid for child in pool.renderer.children()]
    pool.renderer.close()
    with pytest.raises(WorkerLost):
        job.result(timeout=5)
    with pytest.raises(WorkerLost, match="shutting down"):
        pool.render()
    assert not any(psutil.pid_exists(pid) for pid in pids)
