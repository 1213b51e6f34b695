"""What every keeper of usage promises. Subclass, and give the fixture `database`."""

# ruff: noqa: S101 - a suite is made of methods that assert

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest

from pixtools.domain.usage import DayUsage, Metered
from pixtools.jobs.ports.facts import Database
from pixtools.testing.rows import an_id

TODAY = date(2026, 1, 2)
DAY = timedelta(days=1)


def a_cost(**changed: Any) -> Metered:  # noqa: ANN401 - any field of a cost
    """What a job cost that ended today."""
    given: dict[str, Any] = {"job_id": an_id(), "tenant": "acme", "day": TODAY}
    costs = {"outputs": 2, "pixels_processed": 3, "bytes_saved": 4}
    return Metered(**{**given, **costs, "compute_time_ms": 5, **changed})


def kept(database: Database, *costs: Metered) -> list[bool]:
    """Keep costs in one transaction; which were new."""
    with database.write() as tx:
        return [tx.usage.add(cost) for cost in costs]


def told(
    database: Database, first: date = TODAY, last: date = TODAY, tenant: str = "acme"
) -> list[DayUsage]:
    """What was used in these days."""
    with database.read() as tx:
        return list(tx.usage.by_day(tenant, first, last))


class UsageSuite:
    """What ended jobs cost."""

    def test_a_day_is_the_sum_of_its_jobs(self, database: Database) -> None:
        """Also where numbers are larger than 32 bits."""
        large = 2**40
        kept(database, a_cost(), a_cost(pixels_processed=large, bytes_saved=large))
        assert told(database) == [
            DayUsage(
                day=TODAY,
                jobs=2,
                outputs=4,
                pixels_processed=large + 3,
                bytes_saved=large + 4,
                compute_time_ms=10,
            )
        ]

    def test_days_come_in_order_both_ends_included(self, database: Database) -> None:
        """Those without a job are left out."""
        days = [TODAY - 3 * DAY, TODAY, TODAY - DAY, TODAY + DAY]
        kept(database, *(a_cost(day=day) for day in days))
        found = told(database, TODAY - 3 * DAY, TODAY)
        assert [each.day for each in found] == [TODAY - 3 * DAY, TODAY - DAY, TODAY]

    def test_a_tenant_sees_its_own(self, database: Database) -> None:
        """And nothing of others."""
        kept(database, a_cost(), a_cost(tenant="other"), a_cost(tenant="other"))
        assert [day.jobs for day in told(database)] == [1]
        assert told(database, tenant="nobody") == []

    def test_a_job_is_kept_once(self, database: Database) -> None:
        """Whatever is said of it later, and by whom."""
        first = a_cost()
        again = a_cost(job_id=first.job_id, tenant="other", outputs=99)
        assert kept(database, first, again) == [True, False]
        assert kept(database, first) == [False]
        assert [day.outputs for day in told(database)] == [2]
        assert told(database, tenant="other") == []

    def test_of_many_who_keep_the_same_one_is_first(self, database: Database) -> None:
        """The others wait for its end and hear of it."""
        cost = a_cost()
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: kept(database, cost), range(12)))
        assert answers.count([True]) == 1
        assert [day.jobs for day in told(database)] == [1]

    def test_what_was_undone_is_not_kept(self, database: Database) -> None:
        """It can be kept again."""
        cost = a_cost()

        def half_done() -> None:
            with database.write() as tx:
                assert tx.usage.add(cost)
                raise LookupError

        with pytest.raises(LookupError):
            half_done()
        assert told(database) == []
        assert kept(database, cost) == [True]

    def test_old_days_are_forgotten_a_few_jobs_at_a_time(
        self, database: Database
    ) -> None:
        """The day that is named stays."""
        old = [a_cost(day=TODAY - DAY) for _ in range(3)]
        kept(database, *old, a_cost())
        gone = []
        for _ in range(3):
            with database.write() as tx:
                gone.append(tx.usage.forget(TODAY, 2))
        assert gone == [2, 1, 0]
        assert [day.day for day in told(database, TODAY - DAY)] == [TODAY]
