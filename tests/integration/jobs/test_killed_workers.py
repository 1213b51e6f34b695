"""Real processes on real files, killed at random: every job is done once."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.jobs import worker

from pixtools.domain.job import Stage
from pixtools.domain.pipeline import Pipeline
from pixtools.jobs.ports.facts import JobQuery
from pixtools.jobs.read import events_after
from pixtools.jobs.service import Service
from pixtools.jobs.submit import Intake, Order, submit_upload
from pixtools.persistence.migrate import migrate
from pixtools.testing.house import RESIZED, tiny_gif

JOBS = 16
KILLS = 4
TO_PNG = {"id": "web", "action": "convert", "format": "png"}
ORDER = Order(pipeline=Pipeline.parse([RESIZED, TO_PNG]))
SCRIPT = Path(worker.__file__)


class Crew:
    """Worker processes by their names; they do not outlive the test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._working: dict[str, subprocess.Popen[bytes]] = {}

    def hire(self) -> str:
        """Start one more; its name."""
        name = f"crew/{len(self._working)}"
        command = [sys.executable, str(SCRIPT), str(self._folder), name]
        self._working[name] = subprocess.Popen(command)
        return name

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to one of them."""
        os.kill(self._working[name].pid, number)

    def dismiss(self) -> None:
        """Kill them all."""
        for process in self._working.values():
            process.kill()
            process.wait(10)


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[Crew]:
    hired = Crew(tmp_path)
    yield hired
    hired.dismiss()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Service]:
    migrate(worker.config(tmp_path))
    service = worker.service(tmp_path)
    yield service
    service.database.close()


def submit(service: Service) -> str:
    intake = Intake.begin(service, "default")
    intake.write(tiny_gif())
    return submit_upload(service, ORDER, intake).job.id


def unfinished(service: Service) -> int:
    with service.database.read() as tx:
        jobs = tx.jobs.find(JobQuery(tenant="default", limit=JOBS))
    packed = ("succeeded", "failed")
    return sum(not (j.archive and j.archive.status in packed) for j in jobs)


def wait_for_all(service: Service) -> None:
    end = time.monotonic() + 60
    while left := unfinished(service):
        assert time.monotonic() < end, f"{left} jobs are not done"
        time.sleep(0.05)


def busy_worker(service: Service) -> str:
    """The name of one who is in the middle of something."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with service.database.read() as tx:
            held = tx.stages.lapsed(service.clock.now(), 9, owner="crew/")
        fresh = [stage for stage in held if not expired(service, stage)]
        if fresh:
            return random.choice(fresh).lease_owner or ""
        time.sleep(0.001)
    pytest.fail("Nobody works.")


def expired(service: Service, stage: Stage) -> bool:
    """Whether its lease is older than any pulse of a living owner."""
    ends = stage.lease_expires_at
    return ends is None or ends < service.clock.now() + worker.LEASE / 2


@pytest.mark.slow
def test_no_job_is_lost_or_doubled(house: Service, crew: Crew) -> None:
    """Workers are killed in the middle of their work, again and again."""
    for _ in range(JOBS):
        submit(house)
    crew.hire()
    crew.hire()
    for _ in range(KILLS):
        crew.signal(busy_worker(house), signal.SIGKILL)
        crew.hire()
    wait_for_all(house)
    with house.database.read() as tx:
        jobs = tx.jobs.find(JobQuery(tenant="default", limit=JOBS + 1))
        stages = [stage for job in jobs for stage in tx.stages.of_job(job.id)]
    assert len(jobs) == JOBS
    assert {stage.status for stage in stages} == {"succeeded"}
    assert sum(stage.attempt - 1 for stage in stages) >= 1
    for job in jobs:
        assert job.status == "succeeded"
        kinds = Counter(e.kind for e in events_after(house, "default", job.id, 0))
        assert (kinds["done"], kinds["output"]) == (1, 2)
        for output in job.outputs:
            data = b"".join(house.blobs.read(output.key or ""))
            assert hashlib.sha256(data).hexdigest() == output.sha256


def test_a_frozen_worker_wakes_up_to_nothing(house: Service, crew: Crew) -> None:
    """SIGSTOP past its lease: another does the job, and the sleeper changes nothing."""
    job_id = submit(house)
    crew.hire()
    sleeper = busy_worker(house)
    crew.signal(sleeper, signal.SIGSTOP)
    other = crew.hire()
    wait_for_all(house)
    with house.database.read() as tx:
        done = tx.jobs.get(job_id)
        assert max(stage.attempt for stage in tx.stages.of_job(job_id)) > 1
    crew.signal(other, signal.SIGKILL)
    crew.signal(sleeper, signal.SIGCONT)
    submit(house)
    wait_for_all(house)  # nobody else is there: the sleeper is through with its first
    with house.database.read() as tx:
        assert tx.jobs.get(job_id) == done
    kinds = Counter(e.kind for e in events_after(house, "default", job_id, 0))
    assert kinds["done"] == 1
