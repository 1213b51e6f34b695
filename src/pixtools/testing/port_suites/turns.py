"""What every store of work promises about who is next. Give the fixture `database`."""

# ruff: noqa: S101 - a suite is made of methods that assert

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from pixtools.domain.job import Stage
from pixtools.jobs.ports.facts import Database
from pixtools.testing.port_suites.stages import BOTH, claimed, waiting
from pixtools.testing.rows import NOW, a_job, a_stage

SECOND = timedelta(seconds=1)


def queued(database: Database, *tenants: str, **changed: object) -> list[Stage]:
    """A stage of each of these tenants, in the order in which they came."""
    job = a_job()
    stages = [
        a_stage(job, tenant=tenant, run_at=NOW + n * SECOND / 1000, **changed)
        for n, tenant in enumerate(tenants)
    ]
    waiting(database, stages, job)
    return stages


def called(database: Database, times: int) -> list[str]:
    """Whose stages are claimed one after another."""
    got = [claimed(database, now=NOW + SECOND) for _ in range(times)]
    return [stage.tenant for stage in got if stage]


def ended(database: Database, stage: Stage) -> None:
    """Let a claimed stage succeed."""
    with database.write() as tx:
        assert tx.stages.settle(stage, replace(stage, status="succeeded"))


class TurnsSuite:
    """Tenants take turns."""

    def test_a_flood_lets_a_single_stage_through(self, database: Database) -> None:
        """It waits for what runs now and for nothing else of the flood."""
        queued(database, *["flood"] * 50)
        assert called(database, 3) == ["flood"] * 3
        queued(database, "small")
        assert called(database, 2) == ["small", "flood"]

    def test_tenants_share_what_runs_equally(self, database: Database) -> None:
        """Whoever came first with however much."""
        queued(database, *["one"] * 9, *["two"] * 9, *["three"] * 9)
        assert Counter(called(database, 9)) == {"one": 3, "two": 3, "three": 3}

    def test_what_has_ended_counts_no_more(self, database: Database) -> None:
        """The share is of what runs, not of what was ever done."""
        queued(database, "one", "one", "two", "two")
        first = claimed(database, now=NOW + SECOND)
        second = claimed(database, now=NOW + SECOND)
        assert first is not None
        assert second is not None
        assert (first.tenant, second.tenant) == ("one", "two")
        ended(database, first)
        assert called(database, 2) == ["one", "two"]

    def test_a_tenant_is_served_as_it_came(self, database: Database) -> None:
        """Whatever others do in between."""
        stages = queued(database, *["one", "two"] * 10)
        got = [claimed(database, now=NOW + SECOND) for _ in range(20)]
        for tenant in ("one", "two"):
            came = [stage.id for stage in stages if stage.tenant == tenant]
            assert [s.id for s in got if s and s.tenant == tenant] == came

    def test_finishing_comes_before_taking_turns(self, database: Database) -> None:
        """A lower priority is first even of the tenant that has most running."""
        queued(database, *["busy"] * 3)
        called(database, 3)
        queued(database, "idle")
        queued(database, "busy", priority=0)
        assert called(database, 2) == ["busy", "idle"]

    def test_what_runs_in_another_lane_counts(self, database: Database) -> None:
        """A tenant's share is of all that works."""
        queued(database, "one", lane="ml_inference_queue")
        assert claimed(database, lanes=BOTH) is not None
        queued(database, "one", "two")
        assert called(database, 2) == ["two", "one"]

    def test_both_lanes_are_one_queue_to_who_serves_both(
        self, database: Database
    ) -> None:
        """In the same order as if they were one."""
        queued(database, "one", "one")
        queued(database, "two", lane="ml_inference_queue", priority=5)
        late = NOW + SECOND
        got = [claimed(database, lanes=BOTH, now=late) for _ in range(4)]
        assert [stage.tenant if stage else None for stage in got] == [
            "two",
            "one",
            "one",
            None,
        ]

    def test_who_leaves_heavy_work_takes_turns_too(self, database: Database) -> None:
        """A tenant whose heavy stages wait is passed over, not waited for."""
        queued(database, *["heavy"] * 5, cost_ms=9000)
        queued(database, "light", "light", cost_ms=10)
        late = NOW + SECOND
        got = [claimed(database, now=late, light_only=8000) for _ in range(3)]
        assert [stage.tenant if stage else None for stage in got] == [
            "light",
            "light",
            None,
        ]

    def test_racers_of_many_tenants_leave_nothing_over(
        self, database: Database
    ) -> None:
        """Each stage is claimed once, though all look at the same turns."""
        stages = queued(database, *[f"tenant-{n % 7}" for n in range(42)])

        def race(owner: str) -> Sequence[str]:
            mine = []
            while stage := claimed(database, owner, NOW + SECOND):
                mine.append(stage.id)
            return mine

        with ThreadPoolExecutor(6) as pool:
            shares = list(pool.map(race, [f"racer-{n}" for n in range(6)]))
        got = [stage_id for share in shares for stage_id in share]
        assert sorted(got) == [stage.id for stage in stages]
