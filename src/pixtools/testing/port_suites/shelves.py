"""What every store of batches, first answers and history promises.

Subclass, and give the fixture `database`.
"""

# ruff: noqa: S101 - a suite is made of methods that assert

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pixtools.domain.events import Event
from pixtools.jobs.ports.facts import Database, Remembered
from pixtools.testing.port_suites.database import kept, stored
from pixtools.testing.rows import NOW, a_batch, a_job, an_id

SECOND = timedelta(seconds=1)


class AnswersSuite:
    """First answers, by tenant and key."""

    def test_the_first_answer_stands_until_it_expires(self, database: Database) -> None:
        """For each tenant on its own; then another may take its place."""
        first, second = (
            Remembered(fingerprint=mark * 64, job_id=an_id(), status=202)
            for mark in "ab"
        )
        later = NOW + SECOND
        with database.write() as tx:
            keys = tx.idempotency
            assert keys.remember("me", "k", first, now=NOW, expires_at=later)
            assert not keys.remember("me", "k", second, now=NOW, expires_at=later)
            assert keys.remember("you", "k", second, now=NOW, expires_at=later)
            assert keys.recall("me", "k", NOW) == first
            assert keys.recall("me", "other", NOW) is None
            assert keys.recall("me", "k", later) is None
        with database.write() as tx:
            until = later + SECOND
            assert tx.idempotency.remember(
                "me", "k", second, now=later, expires_at=until
            )
            assert tx.idempotency.recall("me", "k", later) == second
            assert tx.idempotency.forget_expired(later) == 1
            assert tx.idempotency.forget_expired(until) == 1

    def test_an_answer_goes_with_its_job(self, database: Database) -> None:
        """The key of a job that was deleted is free."""
        job = a_job()
        answer = Remembered(fingerprint="a" * 64, job_id=job.id, status=202)
        stored(database, job)
        with database.write() as tx:
            until = NOW + SECOND
            tx.idempotency.remember("me", "k", answer, now=NOW, expires_at=until)
            tx.jobs.delete(job.id)
            assert tx.idempotency.recall("me", "k", NOW) is None


class ShelvesSuite:
    """Batches and history."""

    def test_a_batch_survives_and_finds_its_jobs(self, database: Database) -> None:
        """With all its fields; its jobs are listed oldest first."""
        batch = a_batch(
            tenant="acme",
            jobs_total=2,
            jobs_left=1,
            closed=True,
            finished_at=NOW,
            expires_at=NOW + SECOND,
            version=3,
        )
        jobs = [a_job(batch_id=batch.id), a_job(batch_id=batch.id)]
        with database.write() as tx:
            tx.batches.add(replace(batch, jobs_total=0, jobs_left=0, version=1))
            tx.batches.save(batch)
            for job in jobs:
                tx.jobs.add(job)
        with database.read() as tx:
            assert tx.batches.get(batch.id) == batch
            assert list(tx.batches.jobs(batch.id)) == jobs
            assert tx.batches.get(an_id()) is None
            assert list(tx.batches.expired(NOW, 9)) == []
            assert list(tx.batches.expired(NOW + SECOND, 9)) == [batch]

    def test_a_deleted_batch_lets_its_jobs_be(self, database: Database) -> None:
        """They go when their own time comes."""
        batch = a_batch()
        job = a_job(batch_id=batch.id)
        with database.write() as tx:
            tx.batches.add(batch)
            tx.jobs.add(job)
            tx.batches.delete(batch.id)
        assert kept(database, job.id) == replace(job, batch_id=None)

    def test_a_batch_counts_no_more_jobs_than_it_has(self, database: Database) -> None:
        """A miscount is refused where it happens."""
        with pytest.raises(Exception, match=r"counted"), database.write() as tx:
            tx.batches.add(a_batch(jobs_total=1, jobs_left=2))

    def test_events_come_in_order_after_the_last_one_seen(
        self, database: Database
    ) -> None:
        """`seq` alone decides."""
        job = a_job()
        events = [
            Event(job_id=job.id, seq=n, kind="output", subject=f"s{n}", created_at=NOW)
            for n in (1, 2, 5)
        ]
        stored(database, job)
        with database.write() as tx:
            tx.history.append(*events)
            tx.history.append()
        with database.read() as tx:
            assert list(tx.history.after(job.id, 0)) == events
            assert list(tx.history.after(job.id, 1)) == events[1:]
            assert list(tx.history.after(job.id, 5)) == []

    def test_burials_are_remembered_for_a_while(self, database: Database) -> None:
        """And only for the tenant whose job it was."""
        gone = an_id()
        with database.write() as tx:
            tx.history.bury(gone, "me", NOW)
        with database.write() as tx:
            assert tx.history.buried(gone, "me")
            assert not tx.history.buried(gone, "you")
            assert not tx.history.buried(an_id(), "me")
            assert tx.history.forget_buried(NOW) == 0
            assert tx.history.forget_buried(NOW + SECOND) == 1
            assert not tx.history.buried(gone, "me")
