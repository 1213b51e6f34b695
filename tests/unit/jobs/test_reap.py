"""Work whose worker is gone is taken up again."""

from __future__ import annotations

from tests.unit.jobs.looks import shown, stage_of

from pixtools.domain.job import Job
from pixtools.jobs.cancel import cancel
from pixtools.jobs.reap import reap, release
from pixtools.testing.house import House


def abandoned(house: House, owner: str = "house/1") -> Job:
    """A job whose worker was killed in the middle of its work."""
    job = house.submit()
    take(house, owner)
    return job


def take(house: House, owner: str) -> None:
    """Claim as a worker does, and never be heard of again."""
    from pixtools.jobs.run_stage import run_next

    class Killed(BaseException):
        pass

    def dying(checkpoint: object) -> None:
        raise Killed

    house.renderer.trouble = dying
    try:
        run_next(house.service, owner)
    except Killed:
        house.renderer.trouble = lambda checkpoint: None


def test_a_live_lease_is_left_alone(house: House) -> None:
    job = abandoned(house)
    house.clock.advance(59)
    assert reap(house.service) == 0
    assert stage_of(house, job).status == "running"


def test_a_lapsed_lease_is_queued_again(house: House) -> None:
    """With a pause, its problem noted and the attempt counted."""
    job = abandoned(house)
    house.clock.advance(60)
    assert (reap(house.service), reap(house.service)) == (1, 0)
    stage = stage_of(house, job)
    assert (stage.status, stage.attempt, stage.lease_owner) == ("queued", 1, None)
    assert stage.error is not None
    assert stage.error.code == "worker_lost"
    assert house.bell.lanes[-1] == ("default_queue",)
    house.clock.advance(3)
    house.work()
    assert shown(house, job).status == "succeeded"


def test_poison_stops_in_the_end(house: House) -> None:
    """A stage that kills every worker fails as `worker_lost`."""
    job = house.submit()
    for _ in range(5):
        take(house, "one")
        house.clock.advance(70)
        assert reap(house.service) == 1
        house.clock.advance(30)
    assert house.work() == 0
    done = shown(house, job)
    assert done.error is not None
    assert (done.status, done.error.code) == ("failed", "worker_lost")
    assert done.outputs[0].error is not None


def test_a_canceled_job_ends_with_its_lease(house: House) -> None:
    """And what its worker left behind goes."""
    job = abandoned(house)
    house.blobs.writer(f"processed/{job.id}/small.webp").commit()
    cancel(house.service, "default", job.id)
    assert house.job(job.id).status == "processing"
    house.clock.advance(60)
    assert reap(house.service) == 1
    assert house.job(job.id).status == "canceled"
    assert house.blobs.keys() == [job.source.key]


def test_the_dead_are_released_at_once(house: House) -> None:
    """By name or its beginning; others keep what they hold."""
    mine, other, others = (
        abandoned(house, owner) for owner in ("house/1", "house/2", "home/1")
    )
    assert release(house.service, "house/1") == 1
    assert stage_of(house, mine).status == "queued"
    assert release(house.service, "house/") == 1
    assert stage_of(house, other).status == "queued"
    assert stage_of(house, others).status == "running"


def test_a_lost_archive_is_packed_by_another(house: House) -> None:
    """Or fails in the end; the job itself has long ended."""
    house.rule(ahead_bytes=0)
    job = house.submit()
    assert house.step()
    for _ in range(4):
        house.clock.advance(70)
        assert reap(house.service) == 1
        house.clock.advance(30)
        take_archive(house)
    house.clock.advance(70)
    assert reap(house.service) == 1
    done = shown(house, job)
    assert done.archive is not None
    assert (done.status, done.archive.status) == ("succeeded", "failed")


def take_archive(house: House) -> None:
    """Claim an archive, and die while it is packed."""
    from pixtools.jobs.run_stage import run_next

    class Killed(BaseException):
        pass

    def dying(key: str) -> object:
        raise Killed

    read = house.blobs.read
    house.blobs.read = dying  # type: ignore[method-assign, assignment] # a fake
    try:
        while run_next(house.service, "one"):
            pass
    except Killed:
        pass
    finally:
        house.blobs.read = read  # type: ignore[method-assign] # the real one
