"""Series of usage: counted where a job ends, once it has."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from pixtools.jobs.ports.facts import Database
from pixtools.telemetry.metrics import UsageMeters
from pixtools.telemetry.wrap import CountingDatabase
from pixtools.testing.house import RESIZED, House
from pixtools.testing.memory_jobs import MemoryDatabase
from pixtools.testing.port_suites.database import JobsSuite, TransactionSuite
from pixtools.testing.port_suites.usage import UsageSuite, a_cost, kept

NAMES = ("pixels_processed", "bytes_saved", "compute_time_ms")


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def database(registry: CollectorRegistry) -> Database:
    return CountingDatabase(MemoryDatabase(), UsageMeters(registry))


def counted(registry: CollectorRegistry) -> list[float | None]:
    names = [f"pixtools_usage_{name}_total" for name in NAMES]
    return [registry.get_sample_value(name) for name in names]


class TestTransactions(TransactionSuite):
    pass


class TestJobs(JobsSuite):
    pass


class TestUsage(UsageSuite):
    pass


def test_what_a_job_cost_is_counted_when_it_ends(
    database: Database, registry: CollectorRegistry
) -> None:
    house = House(database=database)
    job = house.submit(RESIZED)
    assert counted(registry) == [0, 0, 0]
    house.work()
    usage = house.job(job.id).usage
    assert counted(registry) == [
        usage.pixels_processed,
        usage.bytes_saved,
        usage.compute_time_ms,
    ]
    assert usage.pixels_processed > 0


def test_what_is_kept_already_is_not_counted_again(
    database: Database, registry: CollectorRegistry
) -> None:
    cost = a_cost()
    kept(database, cost, cost)
    kept(database, cost)
    assert counted(registry) == [3, 4, 5]


def test_what_was_undone_is_not_counted(
    database: Database, registry: CollectorRegistry
) -> None:
    def half_done() -> None:
        with database.write() as tx:
            tx.usage.add(a_cost())
            raise LookupError

    with pytest.raises(LookupError):
        half_done()
    assert counted(registry) == [0, 0, 0]
