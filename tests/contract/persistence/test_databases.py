"""The database suites on SQLite files, on PostgreSQL and on the twin in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.emptied import empty

from pixtools.jobs.ports.facts import Database
from pixtools.persistence.config import PersistenceConfig
from pixtools.persistence.database import SqlDatabase
from pixtools.persistence.migrate import migrate
from pixtools.testing.memory_jobs import MemoryDatabase
from pixtools.testing.port_suites.database import JobsSuite, TransactionSuite
from pixtools.testing.port_suites.keys import KeysSuite
from pixtools.testing.port_suites.letters import LettersSuite
from pixtools.testing.port_suites.outbox import OutboxSuite
from pixtools.testing.port_suites.queues import QueuesSuite
from pixtools.testing.port_suites.shelves import AnswersSuite, ShelvesSuite
from pixtools.testing.port_suites.stages import ClaimSuite, LeaseSuite
from pixtools.testing.port_suites.turns import TurnsSuite
from pixtools.testing.port_suites.usage import UsageSuite
from pixtools.testing.port_suites.webhooks import DeliveriesSuite


@pytest.fixture(scope="module")
def migrated(postgres_url: str) -> str:
    """A PostgreSQL database with this release's schema."""
    migrate(PersistenceConfig(url=postgres_url))
    return postgres_url


@pytest.fixture(params=["sqlite", "postgresql", "memory"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "memory":
        yield MemoryDatabase()
        return
    if request.param == "postgresql":
        config = PersistenceConfig(url=request.getfixturevalue("migrated"))
        empty(config)
    else:
        config = PersistenceConfig(url=f"sqlite:///{tmp_path}/facts.sqlite3")
        migrate(config)
    opened = SqlDatabase(config)
    yield opened
    opened.close()


class TestTransactions(TransactionSuite):
    pass


class TestJobs(JobsSuite):
    pass


class TestShelves(ShelvesSuite):
    pass


class TestClaims(ClaimSuite):
    pass


class TestTurns(TurnsSuite):
    pass


class TestLeases(LeaseSuite):
    pass


class TestQueues(QueuesSuite):
    pass


class TestOutbox(OutboxSuite):
    pass


class TestDeliveries(DeliveriesSuite):
    pass


class TestLetters(LettersSuite):
    pass


class TestAnswers(AnswersSuite):
    pass


class TestKeys(KeysSuite):
    pass


class TestUsage(UsageSuite):
    pass
