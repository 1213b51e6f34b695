"""Canceling and erasing, whatever the job is doing."""

from __future__ import annotations

import pytest
from tests.unit.jobs.looks import shown, stage_of, told
from tests.unit.jobs.test_sources import ORDER

from pixtools.domain.errors import JobNotFound, StorageUnavailable
from pixtools.jobs.cancel import cancel
from pixtools.jobs.erase import erase
from pixtools.jobs.expire import expire
from pixtools.jobs.ports.work import Checkpoint
from pixtools.jobs.read import get_job
from pixtools.jobs.run_stage import run_next, run_stage, work
from pixtools.jobs.submit import announce
from pixtools.testing.house import FACTS, RESIZED, House

TO_PNG = {"id": "web", "action": "convert", "format": "png"}


def canceling(house: House, job_id: str, *, then: float | None = 0.5) -> None:
    """Let the next render be canceled while it runs; `then` it calls its checkpoint."""

    def trouble(checkpoint: Checkpoint) -> None:
        cancel(house.service, "default", job_id)
        house.clock.advance(1)
        if then is not None:
            checkpoint(then)

    house.renderer.trouble = trouble


def test_a_job_that_waits_is_canceled_at_once(house: House) -> None:
    job = house.submit(RESIZED, TO_PNG)
    canceled = cancel(house.service, "default", job.id)
    assert (canceled.status, canceled.stages_left) == ("canceled", 0)
    assert [output.status for output in canceled.outputs] == ["skipped", "skipped"]
    assert canceled.archive is not None
    assert canceled.archive.status == "skipped"
    assert stage_of(house, job).status == "canceled"
    assert told(house, job)[-1] == ("done", None)
    assert house.work() == 0


def test_an_announced_job_is_canceled_at_once(house: House) -> None:
    job = announce(house.service, ORDER).job
    canceled = cancel(house.service, "default", job.id)
    assert canceled.status == "canceled"
    assert canceled.expires_at == house.clock.now() + house.rules.retention


def test_a_running_job_stops_within_a_second(house: House) -> None:
    """The renderer's checkpoint raises; nothing that was made stays."""
    job = house.submit(RESIZED, TO_PNG)
    canceling(house, job.id)
    run_next(house.service, "one")
    done = shown(house, job)
    assert (done.status, done.error) == ("canceled", None)
    assert [output.status for output in done.outputs] == ["skipped", "skipped"]
    assert house.blobs.keys() == [job.source.key]
    assert stage_of(house, job).status == "canceled"
    assert told(house, job)[-1] == ("done", None)


def test_a_cancel_that_comes_as_the_work_ends_wins(house: House) -> None:
    """Files that were just put away are taken back."""
    job = house.submit(RESIZED, TO_PNG)
    put = house.blobs.put

    def last_moment(key: str, thing: object) -> object:
        if key.endswith("web.png"):
            cancel(house.service, "default", job.id)
        return put(key, thing)  # type: ignore[arg-type] # passed on

    house.blobs.put = last_moment  # type: ignore[method-assign, assignment] # a fake
    run_next(house.service, "one")
    assert house.job(job.id).status == "canceled"
    assert house.job(job.id).usage.pixels_processed > 0
    assert house.blobs.keys() == [job.source.key]


def test_canceling_again_changes_nothing(house: House) -> None:
    """Also not for a job that has ended otherwise."""
    job, done = house.submit(), house.submit()
    first = cancel(house.service, "default", job.id)
    house.work()
    house.clock.advance(5)
    assert cancel(house.service, "default", job.id) == first
    assert cancel(house.service, "default", done.id).status == "succeeded"


def test_asking_twice_is_asking_once(house: House) -> None:
    job = house.submit()

    def asking(checkpoint: Checkpoint) -> None:
        first = cancel(house.service, "default", job.id)
        house.clock.advance(0.1)
        assert cancel(house.service, "default", job.id) == first
        assert first.status == "processing"

    house.renderer.trouble = asking
    house.work()
    assert house.job(job.id).status == "canceled"


def test_only_the_tenant_cancels_its_job(house: House) -> None:
    job = house.submit()
    for verb in (cancel, erase):
        with pytest.raises(JobNotFound):
            verb(house.service, "acme", job.id)
    assert house.job(job.id).status == "queued"


def test_a_canceled_stage_that_waits_for_its_next_attempt_ends(house: House) -> None:
    """A job between two attempts has no running stage to ask."""
    job = house.submit()

    def away(checkpoint: Checkpoint) -> None:
        raise StorageUnavailable

    house.renderer.trouble = away
    run_next(house.service, "one")
    assert house.job(job.id).status == "processing"
    assert cancel(house.service, "default", job.id).status == "canceled"


def test_trouble_after_a_cancel_is_the_cancel(house: House) -> None:
    """A canceled stage is not tried again."""
    job = house.submit()

    def trouble(checkpoint: Checkpoint) -> None:
        cancel(house.service, "default", job.id)
        raise StorageUnavailable

    house.renderer.trouble = trouble
    run_next(house.service, "one")
    assert house.job(job.id).status == "canceled"
    assert house.work() == 0


def test_a_lapsed_stage_of_a_canceled_job_is_not_run(house: House) -> None:
    """Whoever claims it next ends it."""
    job = house.submit()

    def overtaken(checkpoint: Checkpoint) -> None:
        cancel(house.service, "default", job.id)
        house.clock.advance(61)
        run_stage(house.service, "two", stage_of(house, job).id)
        assert house.job(job.id).status == "canceled"

    house.renderer.trouble = overtaken
    run_next(house.service, "one")
    assert len(house.renderer.plans) == 1
    assert house.blobs.keys() == [job.source.key]


def test_an_erased_job_leaves_nothing(house: House) -> None:
    """Neither rows nor files, nor a memory that it was there."""
    job = house.submit(RESIZED, FACTS)
    house.work()
    erase(house.service, "default", job.id)
    assert house.blobs.keys() == []
    with pytest.raises(JobNotFound):
        get_job(house.service, "default", job.id)


def test_a_job_that_is_erased_while_it_runs_leaves_nothing(house: House) -> None:
    """Its worker finds the job gone and takes its files along."""
    job = house.submit(RESIZED, TO_PNG)
    put = house.blobs.put

    def last_moment(key: str, thing: object) -> object:
        if key.endswith("web.png"):
            erase(house.service, "default", job.id)
        return put(key, thing)  # type: ignore[arg-type] # passed on

    house.blobs.put = last_moment  # type: ignore[method-assign, assignment] # a fake
    run_next(house.service, "one")
    assert house.blobs.keys() == []
    assert house.work() == 0


def test_an_archive_that_is_erased_while_it_is_packed_leaves_nothing(
    house: House,
) -> None:
    house.rule(ahead_bytes=0)
    job = house.submit()
    packing = house.step()
    assert packing
    read = house.blobs.read

    def last_moment(key: str) -> object:
        chunks = list(read(key))
        erase(house.service, "default", job.id)
        return iter(chunks)

    house.blobs.read = last_moment  # type: ignore[method-assign, assignment] # a fake
    work(house.service, packing)
    assert house.blobs.keys() == []


def test_an_erasure_that_was_cut_off_is_finished_by_expiry(house: House) -> None:
    """From the first moment on it is as if the job had never been."""
    job = house.submit()
    house.work()
    house.blobs.away = True
    with pytest.raises(StorageUnavailable):
        erase(house.service, "default", job.id)
    house.blobs.away = False
    with pytest.raises(JobNotFound):
        get_job(house.service, "default", job.id)
    assert expire(house.service) == 1
    assert house.blobs.keys() == []
    with pytest.raises(JobNotFound):
        get_job(house.service, "default", job.id)
