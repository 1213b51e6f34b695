"""What SQLite is told to do, and what that is good for."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo

import pytest

from pixtools.domain.errors import DatabaseUnavailable
from pixtools.persistence.config import PersistenceConfig
from pixtools.persistence.database import SqlDatabase
from pixtools.persistence.migrate import migrate
from pixtools.persistence.schema import HEAD
from pixtools.testing.port_suites.database import kept, stored
from pixtools.testing.rows import a_job, a_stage

HALF_DONE = """
import sys
from pixtools.persistence.config import PersistenceConfig
from pixtools.persistence.database import SqlDatabase
from pixtools.testing.rows import a_job, a_stage
database = SqlDatabase(PersistenceConfig(url=sys.argv[1]))
job = a_job(id=sys.argv[2])
with database.write() as tx:
    tx.jobs.add(job)
    tx.stages.add([a_stage(job)])
    print("written", flush=True)
    sys.stdin.read()
"""


def test_every_connection_is_safe(database: SqlDatabase) -> None:
    """Write-ahead log, synced at each commit, foreign keys held."""
    with database.read() as tx:
        connection = tx.jobs._connection
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 5000,
    }


def test_a_stage_without_its_job_is_refused(database: SqlDatabase) -> None:
    with pytest.raises(Exception, match="FOREIGN KEY"), database.write() as tx:
        tx.stages.add([a_stage(a_job())])


def test_naive_times_are_refused(database: SqlDatabase) -> None:
    """A time without a zone is a bug, and would be read back as another moment."""
    with pytest.raises(Exception, match="aware"):
        stored(database, a_job(created_at=datetime(2026, 1, 1)))  # noqa: DTZ001 - on purpose


class Autumn(tzinfo):
    """A zone whose clock is turned back by an hour."""

    def utcoffset(self, at: datetime | None) -> timedelta:
        return timedelta(hours=1 if at and at.fold else 2)

    def dst(self, at: datetime | None) -> timedelta:
        return self.utcoffset(at) - timedelta(hours=1)

    def tzname(self, at: datetime | None) -> str:
        return "autumn"


def test_the_hour_that_comes_twice_is_stored_as_two(database: SqlDatabase) -> None:
    """Python takes its two times for equal, and they are not."""
    first = datetime(2026, 10, 25, 2, 30, tzinfo=Autumn())
    jobs = [a_job(created_at=first.replace(fold=fold)) for fold in (0, 1)]
    stored(database, *jobs)
    found = [kept(database, job.id) for job in jobs]
    hours = [job.created_at.hour for job in found if job]
    assert hours == [0, 1]


def test_killed_within_a_transaction_leaves_nothing(
    database: SqlDatabase, config: PersistenceConfig
) -> None:
    """No half of it is there, and its lock is free at once."""
    job = a_job()
    process = subprocess.Popen(
        [sys.executable, "-c", HALF_DONE, config.url, job.id],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert kept(database, job.id) is None
    stored(database, job)
    assert kept(database, job.id) == job
    assert config.sqlite_file is not None
    with closing(sqlite3.connect(config.sqlite_file)) as plain:
        assert plain.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_writer_elsewhere_is_waited_for(
    database: SqlDatabase, config: PersistenceConfig
) -> None:
    """Not for ever: then the database is away, and comes back by itself."""
    assert config.sqlite_file is not None
    hasty = SqlDatabase(replace(config, busy_timeout=0.05))
    job = a_job()
    with closing(sqlite3.connect(config.sqlite_file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseUnavailable):
            stored(hasty, job)
        assert kept(hasty, job.id) is None
        other.execute("COMMIT")
    stored(hasty, job)
    hasty.close()
    assert kept(database, job.id) == job


def test_a_new_file_is_waited_for_by_who_finds_it_taken(
    config: PersistenceConfig,
) -> None:
    """Its write-ahead log can be made by one at a time, and SQLite has nobody wait."""
    assert config.sqlite_file is not None
    with (
        closing(sqlite3.connect(config.sqlite_file, isolation_level=None)) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        other.execute("BEGIN IMMEDIATE")
        waiting = pool.submit(migrate, replace(config, busy_timeout=60))
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.5)
        other.execute("COMMIT")
        assert waiting.result(timeout=60) == (None, HEAD)


def test_many_threads_write_without_losing_patience(database: SqlDatabase) -> None:
    """More at once than any pool of connections: each has its turn."""
    jobs = [a_job() for _ in range(60)]
    ready = threading.Barrier(20)

    def write(part: int) -> None:
        ready.wait(60)
        for job in jobs[part::20]:
            stored(database, job)
            assert kept(database, job.id) == job

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(write, range(20)))


def test_a_reader_does_not_wait_for_a_writer(database: SqlDatabase) -> None:
    job = a_job()
    stored(database, job)
    with database.write() as tx:
        tx.jobs.save(replace(job, progress=0.5))
        with ThreadPoolExecutor(1) as pool:
            found = pool.submit(kept, database, job.id).result(timeout=30)
    assert found == job
