"""Children that die, misbehave or lie cost one attempt and harm nobody else."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.workers.bench import PATIENCE, Bench, eventually, pid_of

from pixtools.domain.errors import (
    PixtoolsError,
    WorkerLost,
)
from pixtools.workers.config import WorkersConfig
from pixtools.workers.pool import ProcessRenderer


@pytest.mark.parametrize(
    ("behaviour", "sentence"),
    [
        ("segfaults", "ended by SIGSEGV"),
        ("leaves", "exit status 3"),
        ("dies_slowly", "exit status 3"),
    ],
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


@pytest.mark.parametrize(
    ("manners", "start_seconds", "sentence"),
    [("mute", 0.5, r"nothing for 0\.5 seconds"), ("rude", PATIENCE, "Invalid JSON")],
)
def test_a_child_that_does_not_say_hello_is_ended(
    bench: Callable[..., Bench], manners: str, start_seconds: float, sentence: str
) -> None:
    pool = bench(manners, start_seconds=start_seconds)
    with pytest.raises(WorkerLost, match=sentence):
        pool.renderer.capabilities()
    assert pool.renderer.children() == ()


def test_a_program_that_can_not_be_started_is_named(tmp_path: Path) -> None:
    nowhere = WorkersConfig(command=(str(tmp_path / "nothing"),))
    with (
        ProcessRenderer(nowhere) as renderer,
        pytest.raises(WorkerLost, match="nothing"),
    ):
        renderer.capabilities()
