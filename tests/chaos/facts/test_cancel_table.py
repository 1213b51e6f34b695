"""A cancel in every state that a job can be in, and a death on its way."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.chaos.facts.conftest import Build
from tests.deaths import (
    ORDER,
    TO_PNG,
    Story,
    costs,
    doomed,
    everything,
    kinds_told,
    leftovers,
    lives,
    others_take_over,
    owed,
)

from pixtools.domain.errors import StorageUnavailable
from pixtools.domain.job import Job
from pixtools.jobs.cancel import cancel
from pixtools.jobs.ports.work import Checkpoint
from pixtools.jobs.reap import reap
from pixtools.jobs.run_stage import run_next
from pixtools.jobs.submit import announce
from pixtools.testing.house import RESIZED, House
from pixtools.testing.mortal import Killed


def is_gone(house: House, job: Job) -> bool:
    """Canceled, told once, no file but the source, nothing left to do."""
    ended = house.job(job.id)
    assert leftovers(house) == []
    assert costs(house) == owed(house)
    assert kinds_told(house, ended).count("done") == 1
    kept = [key for key in house.blobs.keys() if not key.startswith("raw/")]  # noqa: SIM118 - no dict
    return (ended.status, ended.stages_left, kept) == ("canceled", 0, [])


def stop(house: House, job: Job) -> None:
    cancel(house.service, "default", job.id)


def test_before_its_upload(house: House) -> None:
    job = announce(house.service, replace(ORDER, idempotency=None)).job
    stop(house, job)
    assert is_gone(house, job)


def test_while_it_waits(house: House) -> None:
    """Its wake-up may still come, and finds nothing."""
    job = house.submit(RESIZED, TO_PNG)
    stop(house, job)
    assert house.job(job.id).status == "canceled"
    others_take_over(house)
    assert house.renderer.plans == []
    assert is_gone(house, job)


def test_while_it_waits_for_another_attempt(house: House) -> None:
    job = house.submit(RESIZED)

    def away(checkpoint: Checkpoint) -> None:
        raise StorageUnavailable

    house.renderer.trouble = away
    run_next(house.service, "one")
    stop(house, job)
    assert is_gone_after_a_while(house, job)


def test_while_it_runs(house: House) -> None:
    """The worker hears of it within a second and ends it."""
    job = house.submit(RESIZED, TO_PNG)

    def stopped(checkpoint: Checkpoint) -> None:
        stop(house, job)
        assert house.job(job.id).status == "processing"
        house.clock.advance(1)
        checkpoint(0.5)
        pytest.fail("It went on.")

    house.renderer.trouble = stopped
    run_next(house.service, "one")
    assert house.job(job.id).status == "canceled"
    assert is_gone_after_a_while(house, job)


def test_when_its_work_is_done_and_not_yet_written(house: House) -> None:
    """The cancel came first: it wins, and files are taken back."""
    job = house.submit(RESIZED, TO_PNG)
    house.renderer.trouble = lambda checkpoint: stop(house, job)
    run_next(house.service, "one")
    assert house.job(job.id).status == "canceled"
    assert is_gone_after_a_while(house, job)


def test_when_its_worker_is_dead(house: House) -> None:
    """Its lease has to run out; then the reaper ends the job."""
    job = house.submit(RESIZED, TO_PNG)
    with pytest.raises(Killed):
        run_next(doomed(house, 2, committed=False), "mortal")
    stop(house, job)
    assert house.job(job.id).status == "processing"
    house.clock.advance(house.rules.lease)
    assert reap(house.service) == 1
    assert house.job(job.id).status == "canceled"
    assert is_gone_after_a_while(house, job)


def test_when_it_has_ended(house: House) -> None:
    """Nothing happens, though its archive is still to be packed."""
    house.rule(ahead_bytes=0)
    job = house.submit(RESIZED, TO_PNG)
    run_next(house.service, "one")
    done = house.job(job.id)
    stop(house, job)
    assert house.job(job.id) == done
    others_take_over(house)
    assert house.job(job.id).status == "succeeded"


def test_a_cancel_can_die_anywhere(build: Build) -> None:
    """Either nobody heard of it, or the job ends canceled without files."""

    def prepare(house: House) -> Story:
        job = house.submit(RESIZED, TO_PNG)
        return lambda service: cancel(service, "default", job.id)

    ends = set()
    for house in lives(prepare, build):
        others_take_over(house)
        (job,) = everything(house)
        ends.add(job.status)
        assert job.status == "succeeded" or is_gone(house, job)
    assert ends == {"succeeded", "canceled"}


def is_gone_after_a_while(house: House, job: Job) -> bool:
    house.renderer.trouble = lambda checkpoint: None
    others_take_over(house)
    return is_gone(house, job)
