"""Work in a child can be watched and stopped, whether it listens or not."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable

import pytest
from tests.integration.workers.bench import Bench, pid_of

from pixtools.domain.errors import (
    Canceled,
    LeaseLost,
    TimedOut,
)


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
    """At least once in a while, on a machine that is busy with something else."""
    pool = bench("deaf", grace_seconds=0.0)
    pool.renderer.capabilities()  # waiting for a child to start is asked about, too
    asked: list[float] = []

    def checkpoint(fraction: float) -> None:
        asked.append(time.monotonic())
        if len(asked) > 3 and (in_time() or len(asked) > 40):
            raise Canceled

    def in_time() -> bool:
        return any(b - a < 0.6 for a, b in itertools.pairwise(asked))

    with pytest.raises(Canceled):
        pool.render(checkpoint=checkpoint)
    assert in_time()


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
    pool.renderer.capabilities()
    began = time.monotonic()
    with pytest.raises(TimedOut, match=r"longer than 0\.3 seconds") as caught:
        pool.render(timeout=0.3)
    assert not caught.value.retryable
    assert time.monotonic() - began < 10
    assert pool.renderer.children() == ()
