"""`kill -9` at every single call: nothing accepted is lost, nothing is done twice.

Each story is told again and again by a process that dies one call later each time,
until it lives to the end. Then another process takes over: it reaps, works and
expires, and the house must be in order.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.deaths import (
    ORDER,
    TO_PNG,
    Story,
    costs,
    everything,
    is_whole,
    kinds_told,
    lives,
    others_take_over,
    owed,
    upload,
)

from pixtools.domain.errors import PixtoolsError
from pixtools.jobs.batch import close_batch, open_batch
from pixtools.jobs.cancel import cancel
from pixtools.jobs.erase import erase
from pixtools.jobs.expire import expire
from pixtools.jobs.run_stage import run_next
from pixtools.jobs.service import Service
from pixtools.jobs.start import start
from pixtools.jobs.submit import announce
from pixtools.testing.house import FACTS, RESIZED, House, tiny_gif


def test_a_submission_is_all_or_nothing() -> None:
    """The client asks again with its key: there is one job, and it gets done."""
    deaths = 0
    for house in lives(lambda house: upload):
        deaths += 1
        before = everything(house)
        upload(house.service)
        (job,) = everything(house)
        assert [each.id for each in before] in ([], [job.id])
        others_take_over(house)
        assert is_whole(house, house.job(job.id))
    assert deaths >= 8


@pytest.mark.parametrize(("ahead", "calls"), [(0, 28), (1 << 20, 25)])
def test_a_worker_can_die_anywhere(ahead: int, calls: int) -> None:
    """Its stages are done by others; their files are those that are told of."""

    def prepare(house: House) -> Story:
        house.rule(ahead_bytes=ahead)
        house.submit(RESIZED, TO_PNG, FACTS)

        def work(service: Service) -> None:
            while run_next(service, "mortal"):
                pass

        return work

    deaths = 0
    for house in lives(prepare):
        deaths += 1
        others_take_over(house)
        (job,) = everything(house)
        assert is_whole(house, job)
    assert deaths >= calls


def test_a_start_can_die_anywhere() -> None:
    """The client starts again."""

    def prepare(house: House) -> Story:
        job = announce(house.service, replace(ORDER, idempotency=None)).job
        writer = house.blobs.writer(job.source.key)
        writer.write(tiny_gif())
        writer.commit()
        return lambda service: start(service, "default", job.id)

    for house in lives(prepare):
        (job,) = everything(house)
        start(house.service, "default", job.id)
        others_take_over(house)
        assert is_whole(house, house.job(job.id))


def test_a_cancel_can_die_anywhere() -> None:
    """Either nobody heard of it, or the job ends canceled without files."""

    def prepare(house: House) -> Story:
        job = house.submit(RESIZED, TO_PNG)
        return lambda service: cancel(service, "default", job.id)

    ends = set()
    for house in lives(prepare):
        others_take_over(house)
        (job,) = everything(house)
        ends.add(job.status)
        assert costs(house) == owed(house)
        assert kinds_told(house, job).count("done") == 1
        if job.status == "canceled":
            assert house.blobs.keys() == [job.source.key]
    assert ends == {"succeeded", "canceled"}


@pytest.mark.parametrize("finished", [False, True])
def test_an_erasure_can_die_anywhere(finished: bool) -> None:
    """Once it has begun to take effect it is carried through; no file stays."""

    def prepare(house: House) -> Story:
        job = house.submit(RESIZED, TO_PNG)
        if finished:
            house.work()
        return lambda service: erase(service, "default", job.id)

    for house in lives(prepare):
        others_take_over(house)
        expire(house.service)
        for job in everything(house):
            assert job.terminal
            erase(house.service, "default", job.id)
        assert house.blobs.keys() == []
        assert costs(house)[0] <= 1 if not finished else costs(house)[0] == 1


def test_whoever_asks_again_ends_an_erasure() -> None:
    """A client whose DELETE was not answered hears the truth: nothing is there."""

    def prepare(house: House) -> Story:
        job = house.submit(RESIZED, TO_PNG)
        house.work()
        return lambda service: erase(service, "default", job.id)

    for house in lives(prepare):
        for job in everything(house):
            erase(house.service, "default", job.id)
        assert everything(house) == []
        assert house.blobs.keys() == []


def test_an_expiry_can_die_anywhere() -> None:
    """The next round takes the rest; no file is left without its row."""

    def prepare(house: House) -> Story:
        batch = open_batch(house.service, "default")
        house.submit(RESIZED, TO_PNG, batch_id=batch.id)
        house.submit(FACTS)
        close_batch(house.service, "default", batch.id)
        house.work()
        house.clock.advance(90_000)
        return expire

    for house in lives(prepare):
        expire(house.service)
        assert everything(house) == []
        assert house.blobs.keys() == []


def test_a_batch_survives_the_death_of_whoever_closes_it() -> None:
    def prepare(house: House) -> Story:
        batch = open_batch(house.service, "default")
        house.submit(RESIZED, batch_id=batch.id)

        def story(service: Service) -> None:
            close_batch(service, "default", batch.id)
            while run_next(service, "mortal"):
                pass

        return story

    for house in lives(prepare):
        (job,) = everything(house)
        try:
            close_batch(house.service, "default", job.batch_id or "")
        except PixtoolsError as error:
            pytest.fail(error.detail)
        others_take_over(house)
        with house.database.read() as tx:
            batch = tx.batches.get(job.batch_id or "")
        assert batch is not None
        assert batch.archive is not None
        assert (batch.jobs_left, batch.archive.status) == (0, "succeeded")
        assert house.blobs.stat(batch.archive.key or "") is not None
