"""Few statements, each over an index, each fit for PostgreSQL too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import Select
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.dml import UpdateBase

from pixtools.jobs.ports.facts import Transaction
from pixtools.jobs.read import document, get_job
from pixtools.jobs.run_stage import run_next
from pixtools.persistence import (
    batches,
    deliveries,
    history,
    idempotency,
    jobs,
    letters,
    outbox,
    queues,
    stages,
    turns,
    usage,
)
from pixtools.persistence.config import PersistenceConfig
from pixtools.persistence.database import SqlDatabase
from pixtools.persistence.lines import Line, Parameters, Rows
from pixtools.persistence.migrate import migrate
from pixtools.testing.house import House
from pixtools.testing.rows import LEASE, NOW, a_job, a_stage

ROOMS = (
    batches,
    deliveries,
    history,
    idempotency,
    jobs,
    letters,
    outbox,
    queues,
    stages,
    turns,
    usage,
)


@contextmanager
def statements(database: SqlDatabase) -> Iterator[list[tuple[str, Parameters]]]:
    """What is sent to the database, but for BEGIN and COMMIT."""
    seen: list[tuple[str, Parameters]] = []

    class Noting(Line):
        """Notes what it says."""

        def _told(self, text: str, parameters: Parameters, *rest: Any) -> Rows:
            if not text.startswith("EXPLAIN"):
                seen.append((text, parameters))
            return super()._told(text, parameters, *rest)

    database._lines.kind = Noting
    yield seen
    database._lines.kind = Line


def test_a_poll_is_two_queries(database: SqlDatabase) -> None:
    """The job as one row, and its place in the queue while it waits."""
    house = House(database=database)
    job = house.submit()
    with statements(database) as seen:
        document(house.service, get_job(house.service, "default", job.id))
    assert len(seen) == 2
    house.work()
    with statements(database) as seen:
        document(house.service, get_job(house.service, "default", job.id))
    assert len(seen) == 1


def test_an_idle_look_for_work_is_one_query(database: SqlDatabase) -> None:
    house = House(database=database)
    with statements(database) as seen:
        assert not run_next(house.service, "one")
    assert len(seen) == 1
    assert seen[0][0].startswith("SELECT")


def test_whoever_finds_work_looks_for_more_by_claiming_it(
    database: SqlDatabase,
) -> None:
    house = House(database=database)
    told = []
    for likely in (False, True):
        house.submit()
        with statements(database) as seen:
            assert run_next(house.service, "one", likely=likely)
        told.append([text for text, _ in seen])
    assert told[0][1:] == told[1]
    with statements(database) as seen:
        assert not run_next(house.service, "one", likely=True)
    assert len(seen) == 1


def test_a_submission_is_five_statements(database: SqlDatabase) -> None:
    """Its key, the load, the job, its stage, its event: one transaction."""
    house = House(database=database)
    with statements(database) as seen:
        house.submit(key="key")
    verbs = [statement.split()[0] for statement, _ in seen]
    assert verbs == ["INSERT", "SELECT", "INSERT", "INSERT", "INSERT"]


CALLS: dict[str, Callable[[Transaction], object]] = {
    "claim": lambda tx: tx.stages.claim("o", NOW, LEASE, lanes=("default_queue",)),
    "claim by id": lambda tx: tx.stages.claim("o", NOW, LEASE, stage_id="x"),
    "next due": lambda tx: tx.queues.next_due(("default_queue",)),
    "due": lambda tx: tx.queues.due(NOW),
    "next light": lambda tx: tx.queues.next_due(("default_queue",), light_only=9),
    "take wake-ups": lambda tx: tx.outbox.take(NOW, 9),
    "due wake-ups": lambda tx: tx.outbox.due(NOW, 9),
    "next wake-up": lambda tx: tx.outbox.next_due(),
    "depth": lambda tx: tx.queues.depth(),
    "load": lambda tx: tx.queues.load("default"),
    "drain": lambda tx: tx.queues.load("default", since=NOW),
    "position": lambda tx: tx.queues.position(a_job()),
    "lapsed": lambda tx: tx.stages.lapsed(NOW, 9),
    "held": lambda tx: tx.stages.lapsed(NOW, 9, owner="house/"),
    "stages of a job": lambda tx: tx.stages.of_job("x"),
    "cancel": lambda tx: tx.queues.cancel("x", NOW),
    "job": lambda tx: tx.jobs.get("x"),
    "expired jobs": lambda tx: tx.jobs.expired(NOW, 9),
    "delete a job": lambda tx: tx.jobs.delete("x"),
    "events": lambda tx: tx.history.after("x", 0),
    "buried": lambda tx: tx.history.buried("x", "t"),
    "recall": lambda tx: tx.idempotency.recall("t", "k", NOW),
    "batch jobs": lambda tx: tx.batches.jobs("x"),
    "expired batches": lambda tx: tx.batches.expired(NOW, 9),
    "usage": lambda tx: tx.usage.by_day("t", NOW.date(), NOW.date()),
    "old usage": lambda tx: tx.usage.forget(NOW.date(), 9),
    "next delivery": lambda tx: tx.deliveries.next_due(),
    "claim a delivery": lambda tx: tx.deliveries.claim(
        "o", NOW, LEASE, per_host=1, per_tenant=1
    ),
    "deliveries of a job": lambda tx: tx.deliveries.of_job("x"),
    "attempts of a job": lambda tx: tx.attempts.of_job("x"),
    "circuit": lambda tx: tx.circuits.get("x"),
    "old circuits": lambda tx: tx.circuits.forget_old(NOW),
    "secrets": lambda tx: tx.secrets.live("t", NOW),
    "retire secrets": lambda tx: tx.secrets.retire("t", NOW),
    "sandbox": lambda tx: tx.sandboxes.at("x"),
    "expired sandboxes": lambda tx: tx.sandboxes.forget_expired(NOW),
    "receipts": lambda tx: tx.sandboxes.received("x"),
}

FEW_ROWS = frozenset(
    {
        "claim",
        "held",
        "lapsed",
        "stages of a job",
        "batch jobs",
        "claim a delivery",
        "deliveries of a job",
        "attempts of a job",
    }
)
"""Found by an index, and so few that sorting them costs nothing."""

WORKED_OUT = frozenset({"CONSTANT ROW", "busy", "due", "heads", "lines", "tenants"})
"""What a statement itself has looked up before: no table."""


@pytest.mark.parametrize("name", CALLS)
def test_every_look_up_uses_an_index(database: SqlDatabase, name: str) -> None:
    """No scan of a table, and no sorting of what an index has in order."""
    with statements(database) as seen, database.write() as tx:
        CALLS[name](tx)
        connection = tx.jobs._connection
        for statement, parameters in list(seen):
            explained = connection.exec_driver_sql(
                f"EXPLAIN QUERY PLAN {statement}", parameters
            )
            plan = [row[3] for row in explained]
            scans = [step for step in plan if step.startswith("SCAN")]
            named = {f"SCAN {name}" for name in WORKED_OUT}
            assert all("USING" in step or step in named for step in scans), plan
            if name not in FEW_ROWS:
                assert not any("TEMP B-TREE" in step for step in plan), plan
    assert seen


@pytest.fixture(scope="module")
def on_postgresql(postgres_url: str) -> Iterator[SqlDatabase]:
    config = PersistenceConfig(url=postgres_url)
    migrate(config)
    database = SqlDatabase(config)
    yield database
    database.close()


@pytest.mark.parametrize("name", CALLS)
def test_every_look_up_can_use_an_index_of_postgresql(
    on_postgresql: SqlDatabase, name: str
) -> None:
    """Told to avoid scans and sorting, it can: only an empty table makes them cheap."""
    with statements(on_postgresql) as seen, on_postgresql.write() as tx:
        connection = tx.jobs._connection
        for way in ("enable_seqscan", "enable_sort", "enable_bitmapscan"):
            connection.exec_driver_sql(f"SET LOCAL {way} = off")
        seen.clear()
        CALLS[name](tx)
        for statement, parameters in list(seen):
            explained = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
            plan = [row[0] for row in explained]
            assert not any("Seq Scan" in step for step in plan), plan
            if name not in FEW_ROWS:
                assert not any("Sort" in step for step in plan), plan
    assert seen


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.__name__)
def test_every_statement_can_be_said_to_postgresql(room: ModuleType) -> None:
    """The one schema and the one set of statements serve both engines."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call] # of SQLAlchemy
    found = [
        thing for thing in vars(room).values() if isinstance(thing, Select | UpdateBase)
    ]
    assert found
    for statement in found:
        assert str(statement.compile(dialect=dialect))


def test_claims_on_postgresql_do_not_wait_for_each_other() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call] # of SQLAlchemy
    text = str(stages._TAKE_NEXT.compile(dialect=dialect))
    assert "FOR UPDATE SKIP LOCKED" in text
    assert "FOR UPDATE" in str(jobs._LOCK.compile(dialect=dialect))


def test_a_backlog_does_not_slow_a_claim_down(database: SqlDatabase) -> None:
    """Whose turn it is, then its first stage: however many wait."""
    job = a_job()
    with database.write() as tx:
        tx.jobs.add(job)
        tx.stages.add(
            [a_stage(job, run_at=NOW + timedelta(seconds=n)) for n in range(10_000)]
        )
    with statements(database) as seen, database.write() as tx:
        assert tx.stages.claim("o", NOW, LEASE, lanes=("default_queue",)) is not None
    assert len(seen) == 2


def test_a_backlog_is_not_read_by_a_claim_on_postgresql(
    on_postgresql: SqlDatabase,
) -> None:
    """Though the server believes the queue to be as empty as it was at first."""
    job = a_job()
    with on_postgresql.write() as tx:
        tx.jobs.add(job)
        tx.stages.add([a_stage(job, tenant=f"t{n % 20}") for n in range(5000)])
    with statements(on_postgresql) as seen, on_postgresql.write() as tx:
        assert tx.queues.next_due(("default_queue",)) is not None
        assert tx.stages.claim("o", NOW, LEASE, lanes=("default_queue",)) is not None
        for statement, parameters in list(seen):
            explained = tx.jobs._connection.exec_driver_sql(
                f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", parameters
            )
            pages = explained.scalar_one()[0]["Plan"]["Shared Hit Blocks"]
            assert pages < 400, pages
