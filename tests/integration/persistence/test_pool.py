"""Connections that stay open: used again, given up when they are of no use, bounded."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from pixtools.domain.errors import DatabaseUnavailable
from pixtools.persistence.config import PersistenceConfig
from pixtools.persistence.database import SqlDatabase, SqlTransaction
from pixtools.testing.port_suites.database import kept, stored
from pixtools.testing.rows import a_job


@pytest.fixture
def small(config: PersistenceConfig, database: SqlDatabase) -> Iterator[SqlDatabase]:
    """One connection stays open and a second one may come."""
    del database  # has made the file
    opened = SqlDatabase(replace(config, pool_size=1, overflow=1, pool_timeout=0.05))
    yield opened
    opened.close()


def driver_of(tx: SqlTransaction) -> sqlite3.Connection:
    """The driver's connection behind a transaction."""
    raw = tx.jobs._connection._raw
    assert isinstance(raw, sqlite3.Connection)
    return raw


def used(database: SqlDatabase) -> sqlite3.Connection:
    """The connection that the next transaction has."""
    with database.read() as tx:
        return driver_of(tx)


def is_open(connection: sqlite3.Connection) -> bool:
    with suppress(sqlite3.ProgrammingError):
        return bool(connection.execute("SELECT 1").fetchone())
    return False


def test_the_last_connection_is_used_again(small: SqlDatabase) -> None:
    assert used(small) is used(small)


def test_what_raised_is_undone_and_its_connection_goes_on(small: SqlDatabase) -> None:
    job, before = a_job(), used(small)

    def half_done() -> None:
        with small.write() as tx:
            tx.jobs.add(job)
            raise LookupError

    with pytest.raises(LookupError):
        half_done()
    assert kept(small, job.id) is None
    assert used(small) is before


def test_what_nobody_ended_is_undone_before_others_come(small: SqlDatabase) -> None:
    """Its owner was interrupted by a signal just before it would have."""
    job, before = a_job(), used(small)
    opening = small._lines.transaction(writes=True)
    SqlTransaction(opening.__enter__()).jobs.add(job)
    del opening
    assert kept(small, job.id) is None
    assert used(small) is before


@pytest.mark.parametrize("raises", [True, False])
def test_a_connection_that_is_closed_is_given_up(
    small: SqlDatabase, raises: bool
) -> None:
    """Whether that shows when it shall commit or when it shall undo."""
    before = used(small)

    def fall_over() -> None:
        with small.write() as tx:
            driver_of(tx).close()
            if raises:
                raise LookupError

    with pytest.raises(Exception):  # noqa: B017 - the driver's own, or ours
        fall_over()
    assert used(small) is not before
    stored(small, a_job())


def test_when_all_connections_are_in_use_the_next_one_waits_a_little(
    small: SqlDatabase,
) -> None:
    """Then the database counts as away, until one comes back."""
    with small.read(), small.read(), pytest.raises(DatabaseUnavailable), small.read():
        pytest.fail("There was a third one.")
    with small.read(), small.read():
        pass


def test_a_connection_that_comes_back_goes_to_who_waits(
    config: PersistenceConfig, database: SqlDatabase
) -> None:
    del database
    single = SqlDatabase(replace(config, pool_size=1, overflow=0, pool_timeout=20))
    with ThreadPoolExecutor(1) as pool:
        begun = threading.Event()

        def ask() -> sqlite3.Connection:
            begun.set()
            return used(single)

        with single.read() as tx:
            mine, later = driver_of(tx), pool.submit(ask)
            assert begun.wait(10)
        assert later.result(timeout=20) is mine
    single.close()


def test_what_is_too_many_is_closed(small: SqlDatabase) -> None:
    """The first that comes back stays open."""
    with small.read() as one:
        first = driver_of(one)
        with small.read() as other:
            second = driver_of(other)
    assert (is_open(first), is_open(second)) == (False, True)


def test_a_file_that_cannot_be_opened_takes_no_place(tmp_path: Path) -> None:
    """However often it was tried, it is opened when it can be."""
    folder = tmp_path / "facts"
    url = f"sqlite:///{folder}/facts.sqlite3"
    small = SqlDatabase(
        PersistenceConfig(url=url, pool_size=1, overflow=0, pool_timeout=0.05)
    )
    folder.rmdir()
    for _ in range(3):
        with pytest.raises(DatabaseUnavailable), small.read():
            pytest.fail("There is no such folder.")
    folder.mkdir()
    with small.read():
        small.close()
