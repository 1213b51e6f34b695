"""What every count of what waits promises. Subclass; give the fixture `database`."""

# ruff: noqa: S101 - a suite is made of methods that assert

from __future__ import annotations

from datetime import timedelta

from pixtools.jobs.ports.facts import Database
from pixtools.jobs.ports.waiting import Load
from pixtools.testing.port_suites.stages import BOTH, STANDARD, claimed, waiting
from pixtools.testing.rows import NOW, a_job, a_stage

SECOND = timedelta(seconds=1)


class QueuesSuite:
    """Counting what waits."""

    def test_load_counts_jobs_that_have_not_ended(self, database: Database) -> None:
        """In all and of one tenant; jobs without their upload do not count."""
        waiting(
            database,
            [],
            a_job(tenant="me"),
            a_job(tenant="me", status="processing"),
            a_job(tenant="you"),
            a_job(tenant="me", status="created"),
            a_job(tenant="me", status="succeeded"),
        )
        with database.read() as tx:
            assert tx.queues.load("me") == Load(total=3, of_tenant=2)
            assert tx.queues.load("them") == Load(total=3, of_tenant=0)

    def test_what_has_ended_is_counted_since_a_time(self, database: Database) -> None:
        """In all and of one tenant, whatever the end was."""
        waiting(
            database,
            [],
            a_job(tenant="me"),
            a_job(tenant="me", status="succeeded", finished_at=NOW),
            a_job(tenant="me", status="failed", finished_at=NOW + SECOND),
            a_job(tenant="you", status="canceled", finished_at=NOW + 2 * SECOND),
        )
        with database.read() as tx:
            load = tx.queues.load("me", since=NOW)
            assert load == Load(total=1, of_tenant=1, ended=2, ended_of_tenant=1)
            assert tx.queues.load("me", since=NOW - SECOND).ended_of_tenant == 2
            assert tx.queues.load("me", since=NOW + 2 * SECOND).ended == 0

    def test_a_position_counts_the_queued_jobs_before(self, database: Database) -> None:
        """By the time at which they were queued, whoever's they are."""
        first, second = a_job(tenant="you"), a_job()
        started_late = a_job(queued_at=NOW - SECOND)
        running = a_job(status="processing", queued_at=NOW - SECOND)
        waiting(database, [], first, second, started_late, running)
        with database.read() as tx:
            jobs = (started_late, first, second, running)
            assert [tx.queues.position(job) for job in jobs] == [0, 1, 2, None]

    def test_depth_and_next_time_by_lane(self, database: Database) -> None:
        """Running stages do not wait."""
        job = a_job()
        stages = [
            a_stage(job, run_at=NOW + SECOND),
            a_stage(job, priority=0, run_at=NOW + 2 * SECOND),
            a_stage(job, lane="ml_inference_queue", run_at=NOW - SECOND),
        ]
        with database.read() as tx:
            assert tx.queues.next_due(BOTH) is None
        waiting(database, stages, job)
        with database.read() as tx:
            assert tx.queues.depth() == {"default_queue": 2, "ml_inference_queue": 1}
            assert tx.queues.next_due(STANDARD) == NOW + SECOND
            assert tx.queues.next_due(BOTH) == NOW - SECOND
        claimed(database, lanes=BOTH)
        with database.read() as tx:
            assert tx.queues.depth() == {"default_queue": 2}

    def test_what_is_due_is_counted_by_lane(self, database: Database) -> None:
        """What waits for a later time is not; a lane without any is left out."""
        job = a_job()
        stages = [
            a_stage(job),
            a_stage(job, run_at=NOW - SECOND),
            a_stage(job, run_at=NOW + SECOND, lane="ml_inference_queue"),
        ]
        with database.read() as tx:
            assert tx.queues.due(NOW) == {}
        waiting(database, stages, job)
        with database.read() as tx:
            assert tx.queues.due(NOW) == {"default_queue": 2}
            late = tx.queues.due(NOW + SECOND)
            assert late == {"default_queue": 2, "ml_inference_queue": 1}
        claimed(database)
        with database.read() as tx:
            assert tx.queues.due(NOW) == {"default_queue": 1}

    def test_the_next_time_of_light_work(self, database: Database) -> None:
        """Whoever leaves heavy work to others does not wake for it."""
        job = a_job()
        light = a_stage(job, cost_ms=7999, run_at=NOW + SECOND)
        waiting(database, [a_stage(job, cost_ms=8000), light], job)
        with database.read() as tx:
            assert tx.queues.next_due(STANDARD, light_only=8000) == NOW + SECOND
            assert tx.queues.next_due(STANDARD, light_only=7999) is None
            assert tx.queues.next_due(STANDARD) == NOW

    def test_canceling_ends_what_waits_only(self, database: Database) -> None:
        """A running stage is left to its owner, other jobs' to theirs."""
        job, other = a_job(), a_job()
        stages = [a_stage(job, priority=0), a_stage(job), a_stage(other)]
        waiting(database, stages, job, other)
        running = claimed(database)
        with database.write() as tx:
            assert tx.queues.cancel(job.id, NOW + SECOND) == 1
            assert tx.queues.cancel(job.id, NOW + SECOND) == 0
        with database.read() as tx:
            mine = tx.stages.of_job(job.id)
            assert mine[0] == running
            assert (mine[1].status, mine[1].finished_at) == ("canceled", NOW + SECOND)
            assert tx.stages.of_job(other.id)[0].status == "queued"
