"""A pool lends children out, keeps them warm, and lets jobs share its memory."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import psutil
import pytest
from tests.integration.workers.bench import PATIENCE, Bench, eventually, pid_of

from pixtools.domain.errors import (
    Canceled,
    CorruptImage,
    WorkerLost,
)
from pixtools.domain.limits import MIB
from pixtools.domain.report import Report


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


def test_a_child_outlives_the_thread_that_first_needed_it(
    bench: Callable[..., Bench],
) -> None:
    pool = bench("works")
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(pid_of(pool.render())))
    thread.start()
    thread.join()
    assert [pid_of(pool.render()) for _ in range(2)] == found * 2


def test_as_many_jobs_run_at_once_as_there_may_be_children(
    bench: Callable[..., Bench],
) -> None:
    pool = bench("waits", count=2)
    scratches = [pool.scratch() for _ in range(3)]
    jobs = [pool.begin(scratch) for scratch in scratches[:2]]
    eventually(lambda: all((s / "started").exists() for s in scratches[:2]))
    jobs.append(begun_in_vain(pool, scratches[2]))
    assert len(pool.renderer.children()) == 2
    assert not (scratches[2] / "started").exists()
    for scratch in scratches:
        (scratch / "go_on").touch()
    assert len({pid_of(job.result(timeout=PATIENCE)) for job in jobs}) == 2


def begun_in_vain(pool: Bench, scratch: Path) -> Future[Report]:
    """A job that has found no child to do it, and says so by asking its caller."""
    asked = threading.Event()
    job = pool.begin(scratch, checkpoint=lambda _: asked.set())
    assert asked.wait(PATIENCE)
    return job


def test_the_childs_domain_errors_are_raised_as_they_are(
    bench: Callable[..., Bench],
) -> None:
    pool = bench("finds_it_corrupt")
    with pytest.raises(CorruptImage, match="The JPEG is broken"):
        pool.render()
    assert len(pool.renderer.children()) == 1


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


def test_a_child_that_holds_a_network_may_be_larger(
    bench: Callable[..., Bench],
) -> None:
    """Else it would open its network again for each photo."""
    sizes = {"recycle_rss_bytes": 64 * MIB, "recycle_network_rss_bytes": 128 * MIB}
    pool = bench("hoards", **sizes)
    first, second, third = (pid_of(pool.render(denoise=True)) for _ in range(3))
    assert first == second != third


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
        job.result(timeout=PATIENCE)
    eventually(lambda: len(pool.renderer.children()) == 1)


def test_children_yield_to_their_parent_and_heavy_work_to_all_other(
    bench: Callable[..., Bench],
) -> None:
    """A service must answer while its children fill all cores."""
    pool = bench("works", count=2, nice=3, nice_heavy=12)
    light, heavy = pid_of(pool.render()), pid_of(pool.render(heavy=True))
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    yielding = [os.getpriority(os.PRIO_PROCESS, pid) - ours for pid in (light, heavy)]
    assert yielding == [min(3, 19 - ours), min(12, 19 - ours)]


def test_a_child_that_yields_for_good_does_nothing_but_heavy_work(
    bench: Callable[..., Bench],
) -> None:
    pool = bench("works", count=1)
    light, heavy = pid_of(pool.render()), pid_of(pool.render(heavy=True))
    assert pid_of(pool.render()) == light != heavy
    assert pid_of(pool.render(heavy=True)) == heavy


def test_both_kinds_work_within_the_same_bound(bench: Callable[..., Bench]) -> None:
    """Heavy and light ones together are as many at once as there may be."""
    pool = bench("waits", count=2)
    scratches = [pool.scratch() for _ in range(3)]
    jobs = [pool.begin(scratches[n], heavy=n == 0) for n in range(2)]
    eventually(lambda: all((s / "started").exists() for s in scratches[:2]))
    jobs.append(begun_in_vain(pool, scratches[2]))
    assert sum(child.busy for child in pool.renderer.children()) == 2
    assert not (scratches[2] / "started").exists()
    for scratch in scratches:
        (scratch / "go_on").touch()
    for job in jobs:
        job.result(timeout=PATIENCE)


def test_one_more_lives_than_may_work(bench: Callable[..., Bench]) -> None:
    """Work may change its kind without a start each time; no more are kept for it."""
    pool = bench("waits", count=2)
    for heavy in (False, True):
        scratches = [pool.scratch() for _ in range(2)]
        jobs = [pool.begin(scratch, heavy=heavy) for scratch in scratches]
        eventually(lambda: all((s / "started").exists() for s in scratches))  # noqa: B023
        for scratch in scratches:
            (scratch / "go_on").touch()
        for job in jobs:
            job.result(timeout=PATIENCE)
    assert len(pool.renderer.children()) == 3


def test_a_child_for_heavy_work_stays_no_longer_than_it_is_needed(
    bench: Callable[..., Bench],
) -> None:
    pool = bench("works", count=1, kept=1, idle_seconds=0.2)
    light = pid_of(pool.render())
    pool.render(heavy=True)
    eventually(lambda: [c.pid for c in pool.renderer.children()] == [light])


def test_a_worker_for_denoising_keeps_a_child_with_its_network(
    bench: Callable[..., Bench],
) -> None:
    """It is started before there is work, and is the only one."""
    pool = bench("works", count=1, kept=0, kept_heavy=1, idle_seconds=0.1)
    pool.renderer.warm()
    assert pool.renderer.capabilities().actions == ("convert",)
    (warm,) = pool.renderer.children()
    pool.render()
    eventually(lambda: [c.pid for c in pool.renderer.children()] == [warm.pid])
    assert pid_of(pool.render(heavy=True)) == warm.pid


def test_jobs_share_the_memory_that_the_pool_may_use(
    bench: Callable[..., Bench],
) -> None:
    pool = bench("waits", count=3, memory_bytes=100 * MIB)
    large, larger, small = (pool.scratch() for _ in range(3))
    jobs = [pool.begin(large, megabytes=60)]
    eventually((large / "started").exists)
    jobs.append(pool.begin(larger, megabytes=90))
    eventually(lambda: waits_for_memory(pool))
    assert not (larger / "started").exists()
    for scratch in (large, larger, small):
        (scratch / "go_on").touch()
    jobs.append(pool.begin(small, megabytes=1))
    for job in jobs:
        job.result(timeout=PATIENCE)


def test_a_job_that_waits_for_memory_can_be_canceled(
    bench: Callable[..., Bench],
) -> None:
    pool = bench("waits", count=2, memory_bytes=100 * MIB)
    large, waiting = pool.scratch(), pool.scratch()
    job = pool.begin(large, megabytes=60)
    eventually((large / "started").exists)

    def cancel(fraction: float) -> None:
        if waits_for_memory(pool):
            raise Canceled

    with pytest.raises(Canceled):
        pool.render(waiting, megabytes=60, checkpoint=cancel)
    assert not (waiting / "started").exists()
    assert len(pool.renderer.children()) == 2
    (large / "go_on").touch()
    job.result(timeout=PATIENCE)


def waits_for_memory(pool: Bench) -> bool:
    """Whether a job's child has said how much it needs, and there is not so much."""
    return bool(pool.renderer._budget._waiting)


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
