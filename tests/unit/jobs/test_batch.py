"""Jobs submitted together."""

from __future__ import annotations

import io
import zipfile

import pytest

from pixtools.domain.document import BatchDocument
from pixtools.domain.errors import BatchNotFound, JobConflict, JobNotFound
from pixtools.domain.job import Batch
from pixtools.jobs.batch import close_batch, drop_batch, open_batch
from pixtools.jobs.cancel import cancel
from pixtools.jobs.erase import erase, erase_batch
from pixtools.jobs.read import batch_document, get_batch, get_job
from pixtools.jobs.run_stage import run_next
from pixtools.testing.house import House


def opened(house: House, *, archive: bool = True) -> Batch:
    return open_batch(house.service, "default", archive=archive)


def shown(house: House, batch: Batch) -> BatchDocument:
    return batch_document(house.service, *get_batch(house.service, "default", batch.id))


def test_a_batch_counts_its_jobs(house: House) -> None:
    """One progress over all of them, whether they run or have ended."""
    batch = opened(house)
    for _ in range(4):
        house.submit(batch_id=batch.id, archive=False)
    assert (shown(house, batch).status, shown(house, batch).progress) == ("open", 0.0)
    run_next(house.service, "one")
    assert shown(house, batch).progress == 0.25
    close_batch(house.service, "default", batch.id)
    assert shown(house, batch).status == "processing"
    house.work()
    done = shown(house, batch)
    assert (done.status, done.progress, len(done.jobs)) == ("succeeded", 1.0, 4)
    assert done.finished_at == house.clock.now()


def test_one_zip_holds_every_output_under_a_name_of_its_own(house: House) -> None:
    """Photos of the same name do not overwrite each other."""
    batch = opened(house)
    for name in ("cat.gif", "cat.gif", "CAT.gif", "dog.gif"):
        house.submit(batch_id=batch.id, filename=name)
    close_batch(house.service, "default", batch.id)
    house.work()
    done = shown(house, batch)
    assert done.archive is not None
    assert (done.archive.status, bool(done.archive.url)) == ("succeeded", True)
    packed = b"".join(house.blobs.read(f"archives/batches/{batch.id}.zip"))
    with zipfile.ZipFile(io.BytesIO(packed)) as opened_zip:
        assert opened_zip.namelist() == [
            "cat-small.webp",
            "cat-small (2).webp",
            "CAT-small (3).webp",
            "dog-small.webp",
        ]


def test_the_zip_waits_for_closing_and_for_the_last_job(house: House) -> None:
    """In whatever order the two come."""
    early, late = opened(house), opened(house)
    for batch in (early, late):
        house.submit(batch_id=batch.id, archive=False)
    close_batch(house.service, "default", early.id)
    assert house.work() == 3
    close_batch(house.service, "default", late.id)
    assert house.work() == 1
    for batch in (early, late):
        archive = shown(house, batch).archive
        assert archive is not None
        assert archive.status == "succeeded"


def test_closing_twice_is_closing_once(house: House) -> None:
    batch = opened(house)
    house.submit(batch_id=batch.id)
    first = close_batch(house.service, "default", batch.id)
    assert close_batch(house.service, "default", batch.id) == first
    house.work()
    close_batch(house.service, "default", batch.id)
    assert house.work() == 0


def test_a_closed_batch_takes_no_more_jobs(house: House) -> None:
    """And what was refused leaves nothing."""
    batch = opened(house)
    close_batch(house.service, "default", batch.id)
    with pytest.raises(JobConflict):
        house.submit(batch_id=batch.id)
    assert house.blobs.keys() == []


def test_a_batch_belongs_to_its_tenant(house: House) -> None:
    batch = opened(house)
    with pytest.raises(BatchNotFound):
        house.submit(batch_id=batch.id, tenant="acme")
    for verb in (close_batch, get_batch):
        with pytest.raises(BatchNotFound):
            verb(house.service, "acme", batch.id)
    with pytest.raises(BatchNotFound):
        get_batch(house.service, "default", "no-such-batch")


def test_an_empty_batch_has_nothing_to_pack(house: House) -> None:
    batch = opened(house)
    close_batch(house.service, "default", batch.id)
    done = shown(house, batch)
    assert done.archive is not None
    assert (done.status, done.archive.status) == ("succeeded", "skipped")
    assert house.work() == 0


def test_a_batch_of_failures_has_nothing_to_pack(house: House) -> None:
    house.renderer.bad = {"small": "encode_failed"}
    batch = opened(house)
    house.submit(batch_id=batch.id)
    close_batch(house.service, "default", batch.id)
    house.work()
    done = shown(house, batch)
    assert done.archive is not None
    assert (done.status, done.archive.status) == ("failed", "skipped")


def test_a_batch_of_all_sorts_is_partial(house: House) -> None:
    batch = opened(house, archive=False)
    house.submit(batch_id=batch.id)
    canceled = house.submit(batch_id=batch.id)
    cancel(house.service, "default", canceled.id)
    close_batch(house.service, "default", batch.id)
    house.work()
    done = shown(house, batch)
    assert (done.status, done.archive) == ("partial", None)


def test_an_erased_job_is_not_waited_for(house: House) -> None:
    """Neither one that ran nor one that had ended."""
    batch = opened(house)
    first = house.submit(batch_id=batch.id)
    house.work()
    second, third = (house.submit(batch_id=batch.id) for _ in range(2))
    close_batch(house.service, "default", batch.id)
    for job in (first, second):
        erase(house.service, "default", job.id)
    house.work()
    done = shown(house, batch)
    assert [each.job_id for each in done.jobs] == [third.id]
    assert (done.status, done.progress) == ("succeeded", 1.0)


def test_an_open_batch_can_be_dropped_while_it_is_empty(house: House) -> None:
    """Nobody else's, no closed one, and none that a job has joined."""
    empty, joined, closed = opened(house), opened(house), opened(house)
    job = house.submit(batch_id=joined.id)
    close_batch(house.service, "default", closed.id)
    drop_batch(house.service, "acme", empty.id)
    assert shown(house, empty).jobs == []
    for batch in (empty, empty, joined, closed):
        drop_batch(house.service, "default", batch.id)
    with pytest.raises(BatchNotFound):
        shown(house, empty)
    assert shown(house, joined).jobs[0].job_id == job.id
    assert shown(house, closed).status == "succeeded"


def test_an_open_batch_is_erased_with_all_its_jobs(house: House) -> None:
    """Nobody else's, and no closed one."""
    batch, closed = opened(house), opened(house)
    job = house.submit(batch_id=batch.id)
    kept = house.submit(batch_id=closed.id)
    close_batch(house.service, "default", closed.id)
    erase_batch(house.service, "acme", batch.id)
    assert house.job(job.id).batch_id == batch.id
    for each in (batch, batch, closed):
        erase_batch(house.service, "default", each.id)
    with pytest.raises(BatchNotFound):
        shown(house, batch)
    with pytest.raises(JobNotFound):
        get_job(house.service, "default", job.id)
    assert house.job(kept.id).batch_id == closed.id


def test_those_who_watch_a_batch_are_told(house: House) -> None:
    batch = opened(house)
    house.submit(batch_id=batch.id)
    house.bell.subjects.clear()
    close_batch(house.service, "default", batch.id)
    assert house.bell.subjects == [batch.id]
    house.work()
    assert house.bell.subjects.count(batch.id) >= 3
