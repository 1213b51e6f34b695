"""What every store of work promises. Subclass, and give the fixture `database`."""

# ruff: noqa: S101 - a suite is made of methods that assert

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

from pixtools.domain.job import Job, Lane, Problem, Stage
from pixtools.jobs.ports.facts import Database
from pixtools.testing.rows import LEASE, NOW, a_batch, a_job, a_stage

SECOND = timedelta(seconds=1)
STANDARD: Sequence[Lane] = ("default_queue",)
BOTH: Sequence[Lane] = ("default_queue", "ml_inference_queue")


def waiting(database: Database, stages: Iterable[Stage], *jobs: Job) -> None:
    """Store jobs with their stages."""
    with database.write() as tx:
        for job in jobs:
            tx.jobs.add(job)
        tx.stages.add(list(stages))


def claimed(
    database: Database,
    owner: str = "one",
    now: datetime = NOW,
    lanes: Sequence[Lane] = STANDARD,
    stage_id: str | None = None,
    light_only: int | None = None,
) -> Stage | None:
    """Claim in a transaction of its own."""
    with database.write() as tx:
        return tx.stages.claim(
            owner, now, LEASE, lanes=lanes, stage_id=stage_id, light_only=light_only
        )


def found(database: Database, job: Job) -> Stage:
    """The only stage of a job."""
    with database.read() as tx:
        (stage,) = tx.stages.of_job(job.id)
        return stage


class ClaimSuite:
    """Who gets which work, and when."""

    def test_a_claim_says_whose_and_until_when(self, database: Database) -> None:
        """Owner, lease and attempt are set, and kept."""
        job = a_job()
        stage = a_stage(job, error=Problem(code="worker_lost", detail="Died."))
        waiting(database, [stage], job)
        got = claimed(database)
        assert got == replace(
            stage,
            status="running",
            attempt=1,
            lease_owner="one",
            lease_expires_at=NOW + LEASE,
            started_at=NOW,
        )
        assert found(database, job) == got

    def test_what_is_claimed_can_not_be_claimed(self, database: Database) -> None:
        """Not from the lane, and not by its id."""
        job = a_job()
        waiting(database, [a_stage(job)], job)
        stage = claimed(database)
        assert stage is not None
        assert claimed(database, "two") is None
        assert claimed(database, "two", stage_id=stage.id) is None

    def test_exactly_one_of_many_racers_gets_it(self, database: Database) -> None:
        """However many ask at once."""
        job = a_job()
        waiting(database, [a_stage(job)], job)
        owners = [f"racer-{number}" for number in range(16)]
        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda owner: claimed(database, owner), owners))
        assert sum(answer is not None for answer in answers) == 1

    def test_work_is_given_out_in_order(self, database: Database) -> None:
        """Priority first, then the time since which it may run, then its id."""
        job = a_job()
        stages = [
            a_stage(job, run_at=NOW - SECOND),
            a_stage(job, run_at=NOW - 2 * SECOND),
            a_stage(job, run_at=NOW, priority=0),
            a_stage(job, run_at=NOW - SECOND),
        ]
        waiting(database, stages, job)
        got = [claimed(database) for _ in range(5)]
        order = [stage.id if stage else None for stage in got]
        assert order == [stages[n].id for n in (2, 1, 0, 3)] + [None]

    def test_work_waits_for_its_time(self, database: Database) -> None:
        """A later `run_at` is not claimed before it has come."""
        job = a_job()
        stage = a_stage(job, run_at=NOW + SECOND)
        waiting(database, [stage], job)
        assert claimed(database) is None
        assert claimed(database, stage_id=stage.id) is None
        assert claimed(database, now=NOW + SECOND) is not None

    def test_lanes_are_kept_apart(self, database: Database) -> None:
        """A worker gets work of its lanes only."""
        job = a_job()
        stage = a_stage(job, lane="ml_inference_queue")
        waiting(database, [stage], job)
        assert claimed(database) is None
        assert claimed(database, lanes=BOTH) is not None

    def test_heavy_work_can_be_left_to_others(self, database: Database) -> None:
        """What costs exactly so much is heavy already."""
        job = a_job()
        stages = [a_stage(job, cost_ms=cost) for cost in (9000, 8000, 7999, 0)]
        waiting(database, stages, job)
        got = [claimed(database, light_only=8000) for _ in range(3)]
        assert [stage.cost_ms for stage in got if stage] == [7999, 0]
        rest = [claimed(database) for _ in range(3)]
        assert [stage.cost_ms for stage in rest if stage] == [9000, 8000]

    def test_used_up_attempts_are_not_claimed(self, database: Database) -> None:
        """Neither from the lane nor by id."""
        job = a_job()
        stage = a_stage(job, attempt=3, max_attempts=3)
        waiting(database, [stage], job)
        assert claimed(database) is None
        assert claimed(database, stage_id=stage.id) is None

    def test_a_lapsed_claim_can_be_taken_by_its_id(self, database: Database) -> None:
        """The moment its lease ends, and as a new attempt."""
        job = a_job()
        waiting(database, [a_stage(job)], job)
        first = claimed(database)
        assert first is not None
        almost = NOW + LEASE - timedelta(microseconds=1)
        assert claimed(database, "two", almost, stage_id=first.id) is None
        second = claimed(database, "two", NOW + LEASE, stage_id=first.id)
        assert second is not None
        assert (second.attempt, second.started_at) == (2, NOW)
        assert not _settled(database, first)


class LeaseSuite:
    """Keeping and ending a claim."""

    def test_a_heartbeat_prolongs_the_claim(self, database: Database) -> None:
        """From the moment of the beat on."""
        job = a_job()
        waiting(database, [a_stage(job)], job)
        stage = claimed(database)
        assert stage is not None
        with database.write() as tx:
            assert tx.stages.extend(stage, NOW + SECOND, LEASE)
        assert found(database, job).lease_expires_at == NOW + SECOND + LEASE

    def test_an_end_is_written_once(self, database: Database) -> None:
        """A second end of the same claim changes nothing, nor does a heartbeat."""
        job = a_job()
        waiting(database, [a_stage(job)], job)
        stage = claimed(database)
        assert stage is not None
        assert _settled(database, stage)
        assert not _settled(database, stage, "failed")
        assert found(database, job).status == "succeeded"
        with database.write() as tx:
            assert not tx.stages.extend(stage, NOW, LEASE)

    def test_a_stage_can_be_queued_again(self, database: Database) -> None:
        """With a later time and its problem; the next claim is another attempt."""
        job = a_job()
        waiting(database, [a_stage(job)], job)
        stage = claimed(database)
        assert stage is not None
        later = replace(
            stage,
            status="queued",
            run_at=NOW + SECOND,
            lease_owner=None,
            lease_expires_at=None,
            error=Problem(code="worker_lost", detail="Died.", retryable=True),
        )
        with database.write() as tx:
            assert tx.stages.settle(stage, later)
        assert found(database, job) == later
        again = claimed(database, now=NOW + SECOND)
        assert again is not None
        assert again.attempt == 2

    def test_a_zombie_changes_nothing(self, database: Database) -> None:
        """An owner whose stage was given to itself anew is another claimant, too."""
        job = a_job()
        waiting(database, [a_stage(job)], job)
        zombie = claimed(database)
        assert zombie is not None
        claimed(database, "one", NOW + LEASE, stage_id=zombie.id)
        assert not _settled(database, zombie)
        with database.write() as tx:
            assert not tx.stages.extend(zombie, NOW + LEASE, LEASE)
        assert found(database, job).attempt == 2

    def test_lapsed_claims_are_found(self, database: Database) -> None:
        """The longest lapsed first."""
        job = a_job()
        waiting(database, [a_stage(job), a_stage(job), a_stage(job)], job)
        second = claimed(database, now=NOW + SECOND)
        first = claimed(database, now=NOW)
        claimed(database, now=NOW + 2 * SECOND)
        with database.read() as tx:
            late = NOW + SECOND + LEASE
            assert list(tx.stages.lapsed(late, 9)) == [first, second]
            assert list(tx.stages.lapsed(late, 1)) == [first]
            assert list(tx.stages.lapsed(NOW, 9)) == []

    def test_claims_are_found_by_their_owner(self, database: Database) -> None:
        """By name or its beginning, to the letter, whatever the lease."""
        job = a_job()
        waiting(database, [a_stage(job) for _ in range(4)], job)
        owners = ("house_1/0", "house_1/1", "houseX1/0", "House_1/0")
        mine = [claimed(database, owner) for owner in owners][:2]
        with database.read() as tx:
            assert list(tx.stages.lapsed(NOW, 9, owner="house_1/")) == mine
            assert len(tx.stages.lapsed(NOW, 9, owner="")) == 4
            assert list(tx.stages.lapsed(NOW, 9, owner="nobody")) == []

    def test_a_batch_has_a_stage_of_its_own(self, database: Database) -> None:
        """It belongs to no job, and goes with its batch."""
        batch = a_batch()
        stage = a_stage(a_job(), job_id=None, batch_id=batch.id, kind="archive")
        with database.write() as tx:
            tx.batches.add(batch)
            tx.stages.add([stage])
        got = claimed(database)
        assert got is not None
        assert (got.job_id, got.batch_id) == (None, batch.id)
        with database.write() as tx:
            tx.batches.delete(batch.id)
        assert not _settled(database, got)


def _settled(database: Database, stage: Stage, status: str = "succeeded") -> bool:
    ended = replace(
        stage,
        status="failed" if status == "failed" else "succeeded",
        lease_owner=None,
        lease_expires_at=None,
        finished_at=NOW,
    )
    with database.write() as tx:
        return tx.stages.settle(stage, ended)
