"""The schema that migrations make is the schema that the code means."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, inspect, select

from pixtools.domain.errors import ConfigurationInvalid, DatabaseUnavailable
from pixtools.persistence.config import PersistenceConfig
from pixtools.persistence.database import SqlDatabase
from pixtools.persistence.engine import open_engine
from pixtools.persistence.mapping import job_row, stage_row
from pixtools.persistence.migrate import alembic_config, downgrade, migrate
from pixtools.persistence.schema import HEAD
from pixtools.persistence.tables import metadata
from pixtools.testing.rows import a_job, a_stage
from pixtools.testing.services import Services
from pixtools.testing.spaces import fresh_database

LONG = 60.0
"""Only ends what hangs: waiting writers of SQLite look ten times a second whether it is
their turn, and where a disk is slow it hardly ever is."""


@pytest.fixture(params=["sqlite", "postgresql"])
def config(
    request: pytest.FixtureRequest, services: Services, tmp_path: Path
) -> Iterator[PersistenceConfig]:
    """An empty database on each engine."""
    if request.param == "sqlite":
        yield PersistenceConfig(url=f"sqlite:///{tmp_path}/facts.sqlite3")
        return
    with fresh_database(services.line("DATABASE_URL")) as url:
        yield PersistenceConfig(url=url)


def on(config: PersistenceConfig, do: Callable[[Engine], object]) -> object:
    engine = open_engine(config)
    try:
        return do(engine)
    finally:
        engine.dispose()


def differences(engine: Engine) -> list[object]:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


def old_row(
    connection: Connection, known: MetaData, table: str, row: dict[str, Any]
) -> None:
    """Add a row as code does that knows the columns of `known` only."""
    values = {column.name: row[column.name] for column in known.tables[table].columns}
    connection.execute(metadata.tables[table].insert(), values)


def test_upgrade_head_equals_the_tables(config: PersistenceConfig) -> None:
    """Tables, columns, types, indexes, constraints."""
    assert migrate(config) == (None, HEAD)
    assert on(config, differences) == []


def test_the_light_check_knows_the_newest_migration() -> None:
    """The API compares numbers without loading Alembic: the number must be right."""
    assert ScriptDirectory.from_config(alembic_config()).get_heads() == [HEAD]


def test_migrating_again_changes_nothing(config: PersistenceConfig) -> None:
    migrate(config)
    assert migrate(config) == (HEAD, HEAD)


def says(version: str) -> Callable[[Engine], object]:
    """Let a database say that it stands there."""

    def say(engine: Engine) -> None:
        with engine.execution_options(writes=True).begin() as connection:
            connection.exec_driver_sql(
                f"UPDATE alembic_version SET version_num = '{version}'"
            )

    return say


def test_a_newer_releases_schema_is_left_as_it_is(config: PersistenceConfig) -> None:
    """Rolling back: the older release begins by `migrate`, too, and runs on it."""
    migrate(config)
    on(config, says("9999"))
    assert migrate(config) == ("9999", "9999")
    assert on(config, differences) == []


def test_another_programs_database_is_refused(config: PersistenceConfig) -> None:
    migrate(config)
    on(config, says("d5e1c0ffee12"))
    database = SqlDatabase(config)
    for start in (lambda: migrate(config), database.check):
        with pytest.raises(DatabaseUnavailable, match="another program's"):
            start()
    database.close()


def test_the_last_step_can_be_taken_back_and_made_again(
    config: PersistenceConfig,
) -> None:
    migrate(config)
    before = on(config, lambda engine: downgrade(engine, "-1"))
    assert on(config, tables) == set(metadata.tables)
    assert on(config, differences) != []
    assert migrate(config) == (before, HEAD)
    assert on(config, differences) == []


def test_every_step_can_be_taken_back(config: PersistenceConfig) -> None:
    migrate(config)
    on(config, lambda engine: downgrade(engine, "base"))
    assert on(config, tables) == set()
    assert migrate(config) == (None, HEAD)


def test_the_last_releases_code_runs_on_this_schema(config: PersistenceConfig) -> None:
    """Whatever it writes and reads: its tables, asked for column by column."""
    last = ScriptDirectory.from_config(alembic_config()).get_revision(HEAD)
    assert last is not None
    migrate(config, str(last.down_revision))
    known = MetaData()
    on(config, known.reflect)
    migrate(config)
    job = a_job()
    stage = a_stage(job, cost_ms=0)

    def work(engine: Engine) -> None:
        with engine.execution_options(writes=True).begin() as connection:
            old_row(connection, known, "jobs", job_row(job))
            old_row(connection, known, "stages", stage_row(stage))
            assert connection.execute(select(known.tables["stages"])).one()

    on(config, work)
    database = SqlDatabase(config)
    with database.read() as tx:
        assert list(tx.stages.of_job(job.id)) == [stage]
    database.close()


def test_the_last_release_goes_on_while_the_schema_changes(
    config: PersistenceConfig,
) -> None:
    """Rolling out: first `migrate`, under the load of processes that know nothing."""
    config = replace(config, busy_timeout=LONG, patience=LONG)
    last = ScriptDirectory.from_config(alembic_config()).get_revision(HEAD)
    assert last is not None
    migrate(config, str(last.down_revision))
    known = MetaData()
    on(config, known.reflect)
    jobs, stages = known.tables["jobs"], known.tables["stages"]
    done = threading.Event()

    def serve(engine: Engine) -> int:
        writer, rounds = engine.execution_options(writes=True), 0
        while not done.is_set() or not rounds:
            job = a_job()
            with writer.begin() as connection:
                old_row(connection, known, "jobs", job_row(job))
                old_row(connection, known, "stages", stage_row(a_stage(job)))
            with writer.begin() as connection:
                mine = stages.c.job_id == job.id
                connection.execute(stages.update().where(mine).values(status="running"))
                assert connection.execute(select(stages).where(mine)).one()
                mine = jobs.c.id == job.id
                connection.execute(jobs.update().where(mine).values(progress=0.5))
            rounds += 1
        return rounds

    with ThreadPoolExecutor(3) as pool:
        serving = [pool.submit(on, config, serve) for _ in range(3)]
        try:
            assert migrate(config) == (last.down_revision, HEAD)
        finally:
            done.set()
        rounds = [each.result(timeout=LONG) for each in serving]
    assert all(rounds)
    assert on(config, differences) == []


def test_many_may_migrate_at_once(config: PersistenceConfig) -> None:
    """Every process of a deployment does it at its start; one of them is first."""
    program = (
        "import sys\n"
        "from pixtools.persistence.config import PersistenceConfig\n"
        "from pixtools.persistence.migrate import migrate\n"
        f"config = PersistenceConfig(url=sys.argv[1], busy_timeout={LONG})\n"
        "before, after = migrate(config)\n"
        "print(before, after)"
    )
    racing = [
        subprocess.Popen(
            [sys.executable, "-c", program, config.url],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    answers = [process.communicate() for process in racing]
    assert [process.returncode for process in racing] == [0, 0, 0], answers
    said = sorted(out.strip() for out, _ in answers)
    assert said == [f"{HEAD} {HEAD}", f"{HEAD} {HEAD}", f"None {HEAD}"]


def test_a_database_without_migrations_is_not_ready(config: PersistenceConfig) -> None:
    """And says what to do."""
    database = SqlDatabase(config)
    with pytest.raises(DatabaseUnavailable) as refused:
        database.check()
    assert "pixtools migrate" in refused.value.detail
    migrate(config)
    database.check()
    database.close()


def test_a_newer_database_is_ready(config: PersistenceConfig) -> None:
    """The last release's code runs on this release's schema."""
    migrate(config)

    def newer(engine: Engine) -> None:
        with engine.execution_options(writes=True).begin() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num='9999'")

    on(config, newer)
    database = SqlDatabase(config)
    database.check()
    database.close()


def test_what_is_no_database_says_so(tmp_path: Path) -> None:
    file = tmp_path / "facts.sqlite3"
    file.write_bytes(b"this is no database" * 999)
    config = PersistenceConfig(url=f"sqlite:///{file}")
    database = SqlDatabase(config)
    with pytest.raises(DatabaseUnavailable):
        database.check()
    with pytest.raises(DatabaseUnavailable):
        migrate(config)
    database.close()


def test_a_url_of_another_kind_is_refused() -> None:
    with pytest.raises(ConfigurationInvalid) as refused:
        PersistenceConfig(url="mysql://root:secret@db/pixtools")
    assert "DATABASE_URL" in refused.value.detail
    assert "secret" not in refused.value.detail


def test_importing_the_room_stays_light() -> None:
    """Neither the ORM nor Alembic: both cost memory that the service does not need."""
    program = (
        "import sys, pixtools.persistence.database\n"
        "print([m for m in ('sqlalchemy.orm', 'alembic') if m in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"
