"""`kill -9` at every single call, on real databases: nothing is lost or done twice."""

from __future__ import annotations

import pytest
from tests.chaos.facts.conftest import Build
from tests.deaths import (
    Story,
    everything,
    is_whole,
    lives,
    others_take_over,
    upload,
)

from pixtools.domain.job import Wakeup
from pixtools.jobs.relay import relay
from pixtools.jobs.run_stage import run_next
from pixtools.jobs.service import Service
from pixtools.testing.house import RESIZED, House


def test_a_submission_is_all_or_nothing(build: Build) -> None:
    """The client asks again with its key: there is one job, and it gets done."""
    deaths = 0
    for house in lives(lambda house: upload, build):
        deaths += 1
        before = everything(house)
        upload(house.service)
        (job,) = everything(house)
        assert [each.id for each in before] in ([], [job.id])
        others_take_over(house)
        assert is_whole(house, house.job(job.id))
    assert deaths >= 8


def test_a_relay_can_die_anywhere(build: Build) -> None:
    """Every stage is announced by it or by the next one; some twice."""
    posted: list[Wakeup] = []

    def prepare(house: House) -> Story:
        posted.clear()
        for _ in range(3):
            house.submit(RESIZED)

        def story(service: Service) -> None:
            while relay(service, posted.extend, limit=2):
                pass

        return story

    deaths = 0
    for house in lives(prepare, build):
        deaths += 1
        relay(house.service, posted.extend)
        with house.database.read() as tx:
            waiting = {
                s.id for job in everything(house) for s in tx.stages.of_job(job.id)
            }
        assert {wakeup.stage_id for wakeup in posted} == waiting
    assert deaths >= 8


@pytest.mark.slow
@pytest.mark.parametrize(("ahead", "calls"), [(0, 25), (1 << 20, 22)])
def test_a_worker_can_die_anywhere(build: Build, ahead: int, calls: int) -> None:
    """Its stages are done by others; their files are those that are told of."""

    def prepare(house: House) -> Story:
        house.rule(ahead_bytes=ahead)
        house.submit(RESIZED)

        def work(service: Service) -> None:
            while run_next(service, "mortal"):
                pass

        return work

    deaths = 0
    for house in lives(prepare, build):
        deaths += 1
        others_take_over(house)
        (job,) = everything(house)
        assert is_whole(house, job)
    assert deaths >= calls
