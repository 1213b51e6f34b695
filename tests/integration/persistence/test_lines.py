"""Statements on their way to the driver: said once, filled in often."""

from __future__ import annotations

from datetime import UTC

import pytest
from sqlalchemy import bindparam, exc, func, literal, select

from pixtools.jobs.ports.facts import JobQuery
from pixtools.persistence import tables
from pixtools.persistence.database import SqlDatabase
from pixtools.testing.port_suites.database import stored
from pixtools.testing.rows import NOW, a_job, a_stage

JOBS = tables.jobs
GET = select(JOBS.c.id, JOBS.c.outputs, JOBS.c.created_at).where(
    JOBS.c.id == bindparam("this")
)


def test_a_statement_is_put_into_words_once(database: SqlDatabase) -> None:
    """However often it is asked, and a list in any of its forms, nothing is added."""
    job = a_job()
    stored(database, job)

    def ask() -> int:
        with database.read() as tx:
            tx.jobs.get(job.id)
            for status in (None, "queued", "failed"):
                tx.jobs.find(JobQuery(tenant=job.tenant, status=status, limit=3))
        return len(database._lines.known)

    assert ask() == ask() == ask()


def test_rows_are_read_as_their_columns_say(database: SqlDatabase) -> None:
    """Documents are values again, times are aware; by name, by place, or in turn."""
    job = a_job()
    stored(database, job)
    with database.read() as tx:
        found = tx.jobs._connection.execute(GET, {"this": job.id})
    row = found.one()
    assert row.id == row[0] == found.scalar() == job.id
    assert isinstance(row.outputs, list)
    assert [*row][2] == row._asdict()["created_at"] == job.created_at
    assert row.created_at.tzinfo is UTC


def test_nothing_found_is_none(database: SqlDatabase) -> None:
    with database.read() as tx:
        found = tx.jobs._connection.execute(GET, {"this": "nobody"})
    assert found.first() is None
    assert found.scalar() is None
    with pytest.raises(ValueError, match="unpack"):
        found.one()


def test_many_rows_are_one_statement(database: SqlDatabase) -> None:
    job = a_job()
    with database.write() as tx:
        tx.jobs.add(job)
        tx.stages.add([a_stage(job) for _ in range(3)])
        assert len(tx.stages.of_job(job.id)) == 3


def test_a_statement_may_bring_values_of_its_own(database: SqlDatabase) -> None:
    """They are written as those that are given."""
    asked = select(literal(NOW, JOBS.c.created_at.type).label("at"), func.count())
    with database.read() as tx:
        at, count = tx.jobs._connection.execute(asked).one()
    assert (at, count) == (NOW, 1)


def test_a_value_that_is_missing_is_a_fault_of_ours(database: SqlDatabase) -> None:
    with database.read() as tx, pytest.raises(KeyError, match="this"):
        tx.jobs._connection.execute(GET, {"that": 1})


def test_a_text_that_hangs_on_its_values_is_refused(database: SqlDatabase) -> None:
    """It would be put into words anew for each number of values, and kept."""
    asked = select(JOBS.c.id).where(JOBS.c.id.in_(["a", "b"]))
    with database.read() as tx, pytest.raises(TypeError, match="hang"):
        tx.jobs._connection.execute(asked)


def test_an_error_is_called_the_same_on_every_engine(database: SqlDatabase) -> None:
    """By SQLAlchemy's name, with the statement and without what it was filled with."""
    job = a_job()
    stored(database, job)
    with pytest.raises(exc.IntegrityError) as refused:
        stored(database, job)
    assert "INSERT INTO jobs" in str(refused.value)
    assert job.id not in str(refused.value)
