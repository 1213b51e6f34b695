"""What every database promises. Subclass, and give the fixture `database`."""

# ruff: noqa: S101 - a suite is made of methods that assert

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from pixtools.domain.events import Event
from pixtools.domain.job import Archive, Job, Problem, Usage
from pixtools.jobs.ports.facts import Database, JobQuery
from pixtools.testing.rows import NOW, a_batch, a_job, a_stage, an_id

SECOND = timedelta(seconds=1)


def stored(database: Database, *jobs: Job) -> None:
    """Add jobs in one transaction."""
    with database.write() as tx:
        for job in jobs:
            tx.jobs.add(job)


def kept(database: Database, job_id: str) -> Job | None:
    """The job as a later reader finds it."""
    with database.read() as tx:
        return tx.jobs.get(job_id)


class TransactionSuite:
    """All of a transaction or nothing, and one moment for each reader."""

    def test_what_was_written_is_there_afterwards(self, database: Database) -> None:
        """Leaving the block commits."""
        job = a_job()
        stored(database, job)
        assert kept(database, job.id) == job

    def test_an_exception_undoes_everything(self, database: Database) -> None:
        """No half of a transaction stays."""
        first, second = a_job(), a_job()

        def half_done() -> None:
            with database.write() as tx:
                tx.jobs.add(first)
                tx.stages.add([a_stage(first)])
                raise LookupError(second.id)

        with pytest.raises(LookupError):
            half_done()
        assert kept(database, first.id) is None
        with database.read() as tx:
            assert tx.queues.depth() == {}

    def test_a_writer_sees_its_own_changes(self, database: Database) -> None:
        """Within a transaction later statements build on earlier ones."""
        job = a_job()
        with database.write() as tx:
            tx.jobs.add(job)
            tx.jobs.save(replace(job, progress=0.5))
            found = tx.jobs.get(job.id, lock=True)
        assert found is not None
        assert found.progress == 0.5

    def test_a_reader_sees_one_moment(self, database: Database) -> None:
        """What is committed while a reader reads is not seen by it."""
        early, late = a_job(), a_job()
        stored(database, early)
        with database.read() as tx:
            assert tx.jobs.get(early.id) is not None
            stored(database, late)
            assert tx.jobs.get(late.id) is None
        assert kept(database, late.id) is not None

    def test_writers_do_not_lose_each_others_changes(self, database: Database) -> None:
        """Reading under lock and saving is safe from many threads."""
        job = a_job(version=0)
        stored(database, job)

        def count(_: int) -> None:
            with database.write() as tx:
                found = tx.jobs.get(job.id, lock=True)
                assert found is not None
                tx.jobs.save(replace(found, version=found.version + 1))

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(count, range(20)))
        found = kept(database, job.id)
        assert found is not None
        assert found.version == 20

    def test_it_answers_when_asked(self, database: Database) -> None:
        """A database that is there raises nothing."""
        database.check()


class JobsSuite:
    """Jobs come back as they were stored."""

    def test_a_full_job_survives(self, database: Database) -> None:
        """Every field is kept: times in UTC, text in any script, nested values."""
        with database.write() as tx:
            batch = a_batch()
            tx.batches.add(batch)
        job = a_job(
            tenant="acme",
            face="api",
            preset="gallery",
            batch_id=batch.id,
            archive=Archive(status="succeeded", key="archives/x", bytes=5),
            webhook_url="https://example.org/hook",
            retry_of=an_id(),
            facts={"gps": {"latitude": 48.1}, "iso": 100, "lens_model": "ø"},
            usage=Usage(pixels_processed=3, bytes_saved=2, compute_time_ms=1),
            error=Problem(code="corrupt_image", detail="Broken.", retryable=True),
            request_id="r",
            traceparent="00-ab-cd-01",
            started_at=NOW,
            finished_at=NOW + SECOND,
            expires_at=NOW + 2 * SECOND,
            cancel_requested_at=NOW,
            progress=0.25,
            version=7,
        )
        stored(database, job)
        assert kept(database, job.id) == job

    def test_a_bare_job_survives(self, database: Database) -> None:
        """What is missing stays missing."""
        job = a_job(archive=None, outputs=(), queued_at=None, client_metadata={})
        stored(database, job)
        assert kept(database, job.id) == job

    def test_an_unknown_job_is_none(self, database: Database) -> None:
        """Nothing is invented."""
        assert kept(database, an_id()) is None

    def test_saving_replaces_what_changed(self, database: Database) -> None:
        """Outputs, statuses and times of the saved value are there afterwards."""
        job = a_job()
        stored(database, job)
        ended = replace(
            job,
            status="partial",
            outputs=job.outputs[:1],
            stages_left=0,
            archive=None,
            finished_at=NOW,
            version=2,
        )
        with database.write() as tx:
            tx.jobs.save(ended)
        assert kept(database, job.id) == ended

    def test_a_job_is_added_once(self, database: Database) -> None:
        """A second job of the same id is a bug, not an update."""
        job = a_job()
        stored(database, job)
        with pytest.raises(Exception, match=r"(?i)unique|once"):
            stored(database, job)

    def test_counters_are_never_negative(self, database: Database) -> None:
        """A miscount is refused where it happens."""
        job = a_job()
        stored(database, job)
        with (
            pytest.raises(Exception, match=r"counted|negative"),
            database.write() as tx,
        ):
            tx.jobs.save(replace(job, stages_left=-1))

    def test_a_list_is_newest_first_and_goes_on(self, database: Database) -> None:
        """`cursor` is the last id that was seen; others' jobs never show."""
        mine = [a_job(tenant="me") for _ in range(5)]
        stored(database, *mine, a_job(tenant="you"))
        newest = list(reversed(mine))

        def page(cursor: str | None) -> list[Job]:
            with database.read() as tx:
                query = JobQuery(tenant="me", limit=2, cursor=cursor)
                return list(tx.jobs.find(query))

        assert page(None) == newest[:2]
        assert page(newest[1].id) == newest[2:4]
        assert page(newest[3].id) == newest[4:]
        assert page(newest[4].id) == []

    def test_a_list_can_be_narrowed(self, database: Database) -> None:
        """By status and by batch."""
        batch = a_batch()
        with database.write() as tx:
            tx.batches.add(batch)
        failed, joined = a_job(status="failed"), a_job(batch_id=batch.id)
        stored(database, failed, joined)
        with database.read() as tx:
            by_status = tx.jobs.find(JobQuery(tenant="default", status="failed"))
            of_batch = JobQuery(tenant="default", batch_id=batch.id)
            by_batch = tx.jobs.find(of_batch)
        assert (list(by_status), list(by_batch)) == ([failed], [joined])

    def test_a_deleted_job_leaves_nothing(self, database: Database) -> None:
        """Stages and events go with it."""
        job, other = a_job(), a_job()
        stored(database, job, other)
        with database.write() as tx:
            tx.stages.add([a_stage(job), a_stage(other)])
            for each in (job, other):
                tx.history.append(
                    Event(job_id=each.id, seq=1, kind="status", created_at=NOW)
                )
            tx.jobs.delete(job.id)
        with database.read() as tx:
            assert tx.jobs.get(job.id) is None
            assert list(tx.stages.of_job(job.id)) == []
            assert list(tx.history.after(job.id, 0)) == []
            assert len(tx.stages.of_job(other.id)) == 1
            assert len(tx.history.after(other.id, 0)) == 1

    def test_expired_jobs_are_found_longest_gone_first(
        self, database: Database
    ) -> None:
        """The moment itself counts as past; jobs without an end never expire."""
        late, early = a_job(expires_at=NOW), a_job(expires_at=NOW - SECOND)
        stored(database, late, early, a_job(), a_job(expires_at=NOW + SECOND))
        with database.read() as tx:
            assert list(tx.jobs.expired(NOW, 10)) == [early, late]
            assert list(tx.jobs.expired(NOW, 1)) == [early]
