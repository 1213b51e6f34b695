"""Letting go of what has had its time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pixtools.domain.errors import JobExpired, JobNotFound, StorageUnavailable
from pixtools.jobs.batch import close_batch, open_batch
from pixtools.jobs.erase import erase
from pixtools.jobs.expire import AT_ONCE, MOST_KEPT, expire
from pixtools.jobs.ports.facts import JobQuery
from pixtools.jobs.read import get_batch, get_job, list_jobs
from pixtools.testing.house import House
from pixtools.testing.memory_blobs import MemoryBlobs

DAY = timedelta(hours=24)


def test_a_finished_job_is_kept_for_a_day(house: House) -> None:
    """Then it and its files are gone: 410 for a week, then 404."""
    job = house.submit()
    house.work()
    house.clock.advance(DAY - timedelta(seconds=1))
    assert expire(house.service) == 0
    assert get_job(house.service, "default", job.id).status == "succeeded"
    house.clock.advance(1)
    assert (expire(house.service), expire(house.service)) == (1, 0)
    assert house.blobs.keys() == []
    with pytest.raises(JobExpired):
        get_job(house.service, "default", job.id)
    with pytest.raises(JobNotFound):
        get_job(house.service, "acme", job.id)
    house.clock.advance(house.rules.burial + timedelta(seconds=1))
    expire(house.service)
    with pytest.raises(JobNotFound):
        get_job(house.service, "default", job.id)


def test_an_expired_job_is_gone_before_it_is_deleted(house: House) -> None:
    """Nobody is shown links to files that may vanish any moment."""
    job = house.submit()
    house.work()
    house.clock.advance(DAY)
    with pytest.raises(JobExpired):
        get_job(house.service, "default", job.id)
    assert list(list_jobs(house.service, JobQuery(tenant="default")).jobs) == []
    with pytest.raises(JobExpired):
        erase(house.service, "default", job.id)


def test_a_job_that_waits_never_expires(house: House) -> None:
    job = house.submit()
    house.clock.advance(30 * DAY)
    assert expire(house.service) == 0
    house.work()
    assert house.job(job.id).status == "succeeded"


def test_more_than_a_handful_expire_in_one_go(house: House) -> None:
    for _ in range(250):
        house.submit()
    house.work()
    house.clock.advance(DAY)
    assert expire(house.service) == 250
    assert house.blobs.keys() == []


def test_files_go_before_rows(house: House) -> None:
    """A store that is away keeps both; the next round takes both."""
    job = house.submit()
    house.work()
    house.clock.advance(DAY)
    house.blobs.away = True
    with pytest.raises(StorageUnavailable):
        expire(house.service)
    house.blobs.away = False
    assert house.job(job.id).status == "succeeded"
    assert expire(house.service) == 1
    assert house.blobs.keys() == []


class Locked(MemoryBlobs):
    """A store that deletes nothing of some jobs, and says so."""

    def __init__(self) -> None:
        super().__init__()
        self.locked: set[str] = set()

    def delete(self, prefix: str) -> int:
        """Delete, or raise StorageUnavailable."""
        if any(job_id in prefix for job_id in self.locked):
            raise StorageUnavailable("The object store refused access.")
        return super().delete(prefix)


def test_files_that_can_not_be_deleted_keep_no_others() -> None:
    """The round names them and fails, after all the others are gone."""
    house = House(blobs=(blobs := Locked()))
    service = house.service
    first, *others = [house.submit() for _ in range(2 * AT_ONCE + 1)]
    house.work()
    house.clock.advance(DAY)
    blobs.locked = {first.id}
    with pytest.raises(StorageUnavailable, match=f"{first.id} and 0 more"):
        expire(service)
    assert house.job(first.id).status == "succeeded"
    for job in others:
        with pytest.raises(JobExpired):
            get_job(service, "default", job.id)
    with service.database.read() as tx:
        assert [job.id for job in tx.jobs.expired(house.clock.now(), 9)] == [first.id]


def test_a_store_that_deletes_nothing_is_not_asked_for_each_job() -> None:
    """It is away; what needs no store is forgotten all the same."""
    house = House(blobs=(blobs := Locked()))
    service = house.service
    jobs = [house.submit(key=f"k{n}") for n in range(MOST_KEPT + 5)]
    house.work()
    house.clock.advance(DAY)
    blobs.locked = {job.id for job in jobs}
    with pytest.raises(StorageUnavailable, match=f"{MOST_KEPT - 1} more"):
        expire(service)
    with service.database.write() as tx:
        assert tx.idempotency.forget_expired(house.clock.now()) == 0


def test_a_batch_goes_with_its_archive(house: House) -> None:
    batch = open_batch(house.service, "default")
    house.submit(batch_id=batch.id)
    close_batch(house.service, "default", batch.id)
    house.work()
    house.clock.advance(DAY)
    assert expire(house.service) == 2
    assert house.blobs.keys() == []


def test_a_batch_that_nobody_closes_is_closed(house: House) -> None:
    """After a day; its ZIP follows, and then its own end."""
    batch = open_batch(house.service, "default")
    job = house.submit(batch_id=batch.id)
    house.clock.advance(DAY)
    assert expire(house.service) == 0
    closed, _ = get_batch(house.service, "default", batch.id)
    assert (closed.closed, closed.expires_at) == (True, None)
    house.work()
    done, jobs = get_batch(house.service, "default", batch.id)
    assert [each.id for each in jobs] == [job.id]
    assert done.archive is not None
    assert done.archive.status == "succeeded"
    assert done.expires_at == house.clock.now() + DAY
