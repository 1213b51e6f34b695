"""A commit that nobody answers: it may have happened, and the process lives on.

Unlike in `test_crashes`, every `except` and `finally` runs: none may undo what was
committed after all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

import pytest
from tests.deaths import (
    ORDER,
    TO_PNG,
    everything,
    is_whole,
    others_take_over,
    upload,
)

from pixtools.domain.errors import DatabaseUnavailable
from pixtools.jobs.cancel import cancel
from pixtools.jobs.run_stage import run_next
from pixtools.jobs.service import Service
from pixtools.jobs.start import start
from pixtools.jobs.submit import announce, submit_object
from pixtools.testing.doubtful import DoubtfulDatabase
from pixtools.testing.house import FACTS, RESIZED, House, tiny_gif

Story = Callable[[Service], object]
pytestmark = pytest.mark.parametrize("happens", [True, False])


def doubts(happens: bool, prepare: Callable[[House], Story]) -> Iterator[House]:
    """A house after each commit of a story that was not answered."""
    for commit in range(1, 100):
        house = House()
        story = prepare(house)
        database = DoubtfulDatabase(house.database, commit, happens=happens)
        with suppress(DatabaseUnavailable):
            story(replace(house.service, database=database))
        if not database.reached:
            return
        yield house
    pytest.fail("The story never ends.")


def test_a_submission_that_is_sent_again_is_done_once(happens: bool) -> None:
    """A job that was taken on after all has its source."""
    for house in doubts(happens, lambda house: upload):
        upload(house.service)
        (job,) = everything(house)
        others_take_over(house)
        assert house.job(job.id).status == "succeeded"
        assert is_whole(house, house.job(job.id))


def test_so_is_one_of_an_object(happens: bool) -> None:
    def submit(service: Service) -> str:
        return submit_object(service, ORDER, key="inbox/default/cat.gif").job.id

    def prepare(house: House) -> Story:
        writer = house.blobs.writer("inbox/default/cat.gif")
        writer.write(tiny_gif())
        writer.commit()
        return submit

    for house in doubts(happens, prepare):
        submit(house.service)
        (job,) = everything(house)
        others_take_over(house)
        assert is_whole(house, house.job(job.id))


def test_a_start_that_is_sent_again_is_done_once(happens: bool) -> None:
    def prepare(house: House) -> Story:
        job = announce(house.service, replace(ORDER, idempotency=None)).job
        writer = house.blobs.writer(job.source.key)
        writer.write(tiny_gif())
        writer.commit()
        return lambda service: start(service, "default", job.id)

    for house in doubts(happens, prepare):
        (job,) = everything(house)
        start(house.service, "default", job.id)
        others_take_over(house)
        assert is_whole(house, house.job(job.id))


def test_work_is_done_once(happens: bool) -> None:
    def prepare(house: House) -> Story:
        house.submit(RESIZED, TO_PNG, FACTS)

        def work(service: Service) -> None:
            while run_next(service, "doubtful"):
                pass

        return work

    for house in doubts(happens, prepare):
        others_take_over(house)
        (job,) = everything(house)
        assert is_whole(house, job)


def test_a_cancel_that_is_sent_again_holds(happens: bool) -> None:
    def prepare(house: House) -> Story:
        job = house.submit(RESIZED, TO_PNG)
        return lambda service: cancel(service, "default", job.id)

    for house in doubts(happens, prepare):
        (job,) = everything(house)
        cancel(house.service, "default", job.id)
        others_take_over(house)
        assert house.job(job.id).status == "canceled"
        assert house.blobs.keys() == [job.source.key]
