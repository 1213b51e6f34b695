"""Databases that let nobody write: clients hear little, the log hears why."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection
from tests.integration.persistence.postgresql.test_made_otherwise import opened

from pixtools.domain.errors import ConfigurationInvalid, DatabaseUnavailable
from pixtools.persistence.config import PersistenceConfig
from pixtools.persistence.database import SqlDatabase
from pixtools.settings import Settings
from pixtools.testing.port_suites.database import stored
from pixtools.testing.rows import a_job
from pixtools.wiring.checkup import describe_database


@contextmanager
def forbidden_to_write(administrator: Connection) -> Iterator[None]:
    """What a provider does to a database whose disk is full."""
    (name,) = administrator.exec_driver_sql("SELECT current_database()").one()
    rule = f'ALTER DATABASE "{name}" {{}} default_transaction_read_only'
    administrator.exec_driver_sql(rule.format("SET") + " = on")
    try:
        yield
    finally:
        administrator.exec_driver_sql(rule.format("RESET"))


def test_a_database_that_may_be_written_again_is_written_again(
    config: PersistenceConfig,
    administrator: Connection,
    database: SqlDatabase,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Connections keep what was so when they were opened; why, is said once."""
    with forbidden_to_write(administrator):
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable):
                stored(database, a_job())
        (said,) = [
            each for each in caplog.records if each.message == "database_trouble"
        ]
        with pytest.raises(ConfigurationInvalid, match="read-only"):
            describe_database(Settings(database_url=config.url))
    assert "read-only" in vars(said)["reason"]
    stored(database, a_job())


def test_rights_that_are_missing_are_no_fault_of_ours(
    config: PersistenceConfig, caplog: pytest.LogCaptureFixture
) -> None:
    """The tables are another role's, say; the log names what may not be touched."""
    with (
        opened(config, "role=pg_monitor") as stranger,
        pytest.raises(DatabaseUnavailable),
    ):
        stored(stranger, a_job())
    (said,) = [each for each in caplog.records if each.message == "database_trouble"]
    assert vars(said)["reason"] == "permission denied for table jobs"


def test_tables_that_are_away_are_no_fault_of_ours(
    database: SqlDatabase, administrator: Connection
) -> None:
    """While a backup is brought back, say."""
    administrator.exec_driver_sql("ALTER TABLE jobs RENAME TO jobs_before")
    try:
        with pytest.raises(DatabaseUnavailable):
            stored(database, a_job())
    finally:
        administrator.exec_driver_sql("ALTER TABLE jobs_before RENAME TO jobs")
