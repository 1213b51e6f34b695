"""Keeping a claim alive while its work runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.jobs.looks import stage_of

from pixtools.domain.errors import Canceled, DatabaseUnavailable, LeaseLost
from pixtools.domain.job import Stage
from pixtools.jobs.cancel import cancel
from pixtools.jobs.ports.work import Checkpoint
from pixtools.jobs.pulse import Pulse
from pixtools.jobs.run_stage import run_next
from pixtools.testing.house import RESIZED, House
from pixtools.testing.memory_jobs import MemoryDatabase
from pixtools.testing.rows import LEASE

TO_PNG = {"id": "web", "action": "convert", "format": "png"}


@pytest.fixture
def database(house: House) -> MemoryDatabase:
    assert isinstance(house.database, MemoryDatabase)
    return house.database


def claimed(house: House) -> Stage:
    house.submit(RESIZED, TO_PNG)
    with house.database.write() as tx:
        stage = tx.stages.claim(
            "one", house.clock.now(), LEASE, lanes=("default_queue",)
        )
    assert stage is not None
    return stage


def progress(house: House, stage: Stage) -> float:
    return house.job(stage.job_id or "").progress


def test_quick_work_costs_no_writes(house: House, database: MemoryDatabase) -> None:
    """A hundred checkpoints within a second touch nothing."""
    pulse = Pulse(house.service, claimed(house))
    before = database.writes
    for step in range(100):
        house.clock.advance(0.009)
        pulse(step / 100)
    assert database.writes == before


def test_progress_is_told_once_a_second_at_most(
    house: House, database: MemoryDatabase
) -> None:
    stage = claimed(house)
    pulse = Pulse(house.service, stage)
    before = database.writes
    for step in range(100):
        house.clock.advance(0.05)
        pulse(step / 100)
    assert 4 <= database.writes - before <= 5
    assert progress(house, stage) > 0.9


def test_progress_only_grows(house: House) -> None:
    """A second attempt begins from nothing; its client does not see that."""
    stage = claimed(house)
    pulse = Pulse(house.service, stage)
    for fraction in (0.6, 0.2, 0.5):
        house.clock.advance(1)
        pulse(fraction)
        assert progress(house, stage) == pytest.approx(0.6)
    again = Pulse(house.service, stage)
    house.clock.advance(1)
    again(0.3)
    assert progress(house, stage) == pytest.approx(0.6)


def test_progress_of_nonsense_stays_within_bounds(house: House) -> None:
    stage = claimed(house)
    pulse = Pulse(house.service, stage)
    for fraction in (-5.0, 17.0):
        house.clock.advance(1)
        pulse(fraction)
    assert 0 <= progress(house, stage) < 1


def test_those_who_watch_hear_of_progress(house: House) -> None:
    stage = claimed(house)
    house.bell.subjects.clear()
    pulse = Pulse(house.service, stage)
    house.clock.advance(1)
    pulse(0.5)
    assert house.bell.subjects == [stage.job_id]


def test_silent_work_keeps_its_lease(house: House) -> None:
    """Without any progress the lease still moves along."""
    stage = claimed(house)
    pulse = Pulse(house.service, stage)
    for _ in range(300):
        house.clock.advance(0.5)
        pulse.again()
    kept = stage_of(house, house.job(stage.job_id or ""))
    assert kept.lease_expires_at is not None
    assert kept.lease_expires_at > house.clock.now() + timedelta(seconds=40)


def test_a_cancel_is_noticed_within_a_second(house: House) -> None:
    """By looking, not by writing."""
    stage = claimed(house)
    pulse = Pulse(house.service, stage)
    cancel(house.service, "default", stage.job_id or "")
    house.clock.advance(0.9)
    pulse(0.0)
    house.clock.advance(0.1)
    with pytest.raises(Canceled):
        pulse(0.0)


def test_a_lost_claim_is_noticed(house: House) -> None:
    """By the next heartbeat, or before a file becomes visible."""
    stage = claimed(house)
    pulse, other = Pulse(house.service, stage), Pulse(house.service, stage)
    house.clock.advance(60)
    with house.database.write() as tx:
        tx.stages.claim("two", house.clock.now(), LEASE, stage_id=stage.id)
    with pytest.raises(LeaseLost):
        pulse(0.0)
    with pytest.raises(LeaseLost):
        other.hold()


def test_a_young_lease_is_held_without_a_write(
    house: House, database: MemoryDatabase
) -> None:
    stage = claimed(house)
    pulse = Pulse(house.service, stage)
    before = database.writes
    house.clock.advance(29)
    pulse.hold()
    assert database.writes == before
    house.clock.advance(2)
    pulse.hold()
    assert database.writes == before + 1


def test_a_job_that_was_erased_stops_its_work(house: House) -> None:
    stage = claimed(house)
    pulse = Pulse(house.service, stage)
    with house.database.write() as tx:
        tx.jobs.delete(stage.job_id or "")
    house.clock.advance(1)
    with pytest.raises(Canceled):
        pulse.hold()
    house.clock.advance(20)
    with pytest.raises(LeaseLost):
        pulse(0.5)


def test_work_outlives_a_short_absence_of_the_database(
    house: House, database: MemoryDatabase
) -> None:
    """For as long as the lease surely lasts, and no longer."""
    pulse = Pulse(house.service, claimed(house))
    database.away = True
    for _ in range(59):
        house.clock.advance(1)
        pulse(0.5)
    house.clock.advance(1)
    with pytest.raises(LeaseLost):
        pulse(0.5)


def test_a_sure_claim_needs_no_database(house: House, database: MemoryDatabase) -> None:
    """With most of the lease left nobody else can have it: files are put away."""
    pulse = Pulse(house.service, claimed(house))
    database.away = True
    for _ in range(29):
        house.clock.advance(1)
        pulse.hold()


def test_what_is_done_is_told_when_the_database_is_back(
    house: House, database: MemoryDatabase
) -> None:
    """Work is not done twice because its end could not be written at once."""
    job = house.submit()
    back_at = house.clock.now() + timedelta(seconds=10)

    def rest(seconds: float) -> None:
        house.clock.advance(seconds)
        database.away = house.clock.now() < back_at

    def gone(checkpoint: Checkpoint) -> None:
        database.away = True

    house.renderer.trouble = gone
    run_next(replace(house.service, rest=rest), "one")
    assert house.clock.now() >= back_at
    assert house.job(job.id).status == "succeeded"
    assert len(house.renderer.plans) == 1


def test_an_end_that_can_not_be_written_is_given_up_with_the_lease(
    house: House, database: MemoryDatabase
) -> None:
    """Whoever takes the stage up then does it once more."""
    pulse = Pulse(house.service, claimed(house))

    def away() -> None:
        raise DatabaseUnavailable

    began = house.clock.now()
    with pytest.raises(DatabaseUnavailable):
        pulse.insist(away)
    assert LEASE / 2 < house.clock.now() - began < LEASE


def test_a_file_is_never_put_away_unsure(
    house: House, database: MemoryDatabase
) -> None:
    pulse = Pulse(house.service, claimed(house))
    database.away = True
    house.clock.advance(31)
    with pytest.raises(DatabaseUnavailable):
        pulse.hold()
