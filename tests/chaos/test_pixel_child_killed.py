"""kill -9 of a pixel child: its job is done by another, and nobody notices."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.acceptance.visiting import SLOW, ended, job, submitted
from tests.chaos.aftermath import check_all_succeeded, check_tidy
from tests.chaos.children import SECONDS, heavy_child, heavy_children, kill_child
from tests.chaos.work import LONG

from pixtools.jobs.service import Rules
from pixtools.testing.serving import Serving, eventually, serving

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def service() -> Iterator[Serving]:
    """A service with one worker, so that it is known who does a job."""
    with serving({"WORKERS": "1"}) as served:
        yield served


def attempt_of(service: Serving, job_id: str) -> int:
    """Which attempt at a job's pixels is running; 0 if none is."""
    with closing(service.database()) as database:
        found = database.execute(
            "SELECT attempt FROM stages WHERE job_id = ? AND status = 'running'"
            " AND kind = 'render'",
            (job_id,),
        ).fetchone()
    return int(found[0]) if found else 0


def attempts_at(service: Serving, job_id: str) -> int:
    """How often a job's pixels were begun."""
    sql = "SELECT attempt FROM stages WHERE job_id = ? AND kind = 'render'"
    with closing(service.database()) as database:
        return int(database.execute(sql, (job_id,)).fetchone()[0])


def kill_at_attempt(service: Serving, job_id: str, attempt: int) -> None:
    """Kill the only child for heavy work in the middle of an attempt."""
    eventually(lambda: attempt_of(service, job_id) == attempt, 90)  # after a pause
    kill_child(service, heavy_child(service))


def test_the_job_succeeds_all_the_same(
    service: Serving, photo_12mp: Path, photo_vga: Path
) -> None:
    job_id = submitted(service, photo_12mp, LONG)
    eventually(lambda: job(service, job_id)["progress"] > 0, SECONDS)
    kill_at_attempt(service, job_id, 1)
    others = [submitted(service, photo_vga) for _ in range(3)]
    check_all_succeeded(service, [job_id, *others])
    assert attempts_at(service, job_id) == 2
    check_tidy(service)
    assert "Traceback" not in service.words()


def test_a_child_that_dies_without_work_is_replaced(
    service: Serving, photo_vga: Path
) -> None:
    ended(service, submitted(service, photo_vga))
    for pid in service.pixel_children():
        os.kill(pid, signal.SIGKILL)
    check_all_succeeded(service, [submitted(service, photo_vga)])


def test_a_photo_that_kills_every_child_fails_in_the_end(
    service: Serving, photo_12mp: Path, photo_vga: Path
) -> None:
    """Poison: so many attempts, then `worker_lost`, and the others go on."""
    for idle in heavy_children(service):
        # It may be killed before the photo gets to it, and would stand for no attempt.
        kill_child(service, idle)
    poison = submitted(service, photo_12mp, SLOW)
    others = []
    for attempt in range(1, Rules().max_attempts + 1):
        kill_at_attempt(service, poison, attempt)
        others.append(submitted(service, photo_vga))
    document = ended(service, poison)
    assert document["status"] == "failed"
    assert document["error"]["code"] == "worker_lost"
    assert document["outputs"][0]["url"] is None
    check_all_succeeded(service, others)
    check_tidy(service)
