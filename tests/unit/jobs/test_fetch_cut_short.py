"""A fetch that is canceled, erased, overtaken or slow harms nobody else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.unit.jobs.asking import GIF, URL, asked

from pixtools.domain.errors import LeaseLost
from pixtools.jobs.cancel import cancel
from pixtools.jobs.erase import erase
from pixtools.jobs.postpone import LONGEST_PAUSE
from pixtools.jobs.reap import reap
from pixtools.jobs.run_stage import claim, run_next, work
from pixtools.jobs.work import is_heavy
from pixtools.testing.house import House


@pytest.fixture
def house(house: House) -> House:
    house.fetcher.photos[URL] = GIF
    return house


def test_a_job_can_be_canceled_before_it_is_fetched(house: House) -> None:
    job = asked(house)
    assert cancel(house.service, "default", job.id).status == "canceled"
    house.work()
    assert house.fetcher.asked == []


def test_a_job_can_be_canceled_while_it_is_fetched(house: House) -> None:
    job = asked(house)

    def meanwhile() -> None:
        cancel(house.service, "default", job.id)
        house.clock.advance(2)

    house.fetcher.trouble = meanwhile
    house.work()
    ended = house.job(job.id)
    assert (ended.status, ended.outputs[0].status) == ("canceled", "skipped")
    assert house.blobs.keys() == []


def test_a_job_that_is_erased_while_it_is_fetched_leaves_no_file(house: House) -> None:
    job = asked(house)

    def meanwhile() -> None:
        erase(house.service, "default", job.id)

    house.fetcher.trouble = meanwhile
    house.work()
    assert house.blobs.keys() == []


def test_a_claim_that_was_lost_writes_over_nobodys_file(house: House) -> None:
    """While one worker hung, another one fetched the photo and is at work on it."""
    job = asked(house)

    def meanwhile() -> None:
        house.fetcher.trouble = lambda: None
        house.clock.advance(house.rules.lease + timedelta(seconds=1))
        reap(house.service)
        house.clock.advance(LONGEST_PAUSE)
        assert run_next(house.service, "two")
        assert house.job(job.id).source.format == "gif"

    house.fetcher.trouble = meanwhile
    claimed = claim(house.service, "one", lanes=("default_queue",))
    assert claimed
    work(house.service, claimed)
    assert house.blobs.keys() == [job.source.key]
    house.work()
    assert house.job(job.id).status == "succeeded"


def test_a_stranger_who_is_slow_never_keeps_all_hands(house: House) -> None:
    asked(house)
    assert run_next(house.service, "one", light_only=True) is None
    claimed = claim(house.service, "one", lanes=("default_queue",))
    assert claimed
    assert is_heavy(house.rules, claimed.stage)


def test_a_lost_lease_is_no_fault_of_the_source(house: House) -> None:
    def lose() -> None:
        raise LeaseLost

    house.fetcher.trouble = lose
    job = asked(house)
    assert run_next(house.service, "one")
    assert house.job(job.id).error is None
