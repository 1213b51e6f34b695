"""Bringing a database to this release's schema. Only this module needs Alembic."""

from __future__ import annotations

import random
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, exc, inspect

from pixtools.domain.errors import DatabaseUnavailable
from pixtools.persistence.config import PersistenceConfig
from pixtools.persistence.engine import open_engine, transaction
from pixtools.persistence.schema import HEAD, version_of

LOCK = 7_161_952_117
"""Any number that nothing else in the database locks."""

GAP_MS = 200
"""How long others wait at most for a try that comes to nothing."""
TRIES = 100

ENCODINGS = ("UTF8", "SQL_ASCII")
"""The other one takes every byte for what it is, and we send UTF-8."""

MIGRATIONS = Path(__file__).with_name("migrations")


def migrate(config: PersistenceConfig, to: str = "head") -> tuple[str | None, str]:
    """Bring the schema up to a version; the versions before and after.

    Safe to run at any time and by several processes at once: the first one does it,
    in one transaction. A newer release's schema is left as it is: this one runs on it.
    Raises DatabaseUnavailable.
    """
    engine = open_engine(replace(config, patience=0))
    try:
        with transaction(engine.execution_options(writes=True)) as connection:
            _wait_for_turn(connection)
            before = version_of(connection)
            if before is not None and before > HEAD:
                return before, before
            _refuse_encoding(connection)
            if before != HEAD:
                _take_tables(connection)
            command.upgrade(alembic_config(connection), to)
            return before, version_of(connection) or ""
    except exc.DBAPIError as error:
        raise DatabaseUnavailable from error
    finally:
        engine.dispose()


def downgrade(engine: Engine, to: str = "-1") -> str | None:
    """Take the schema back; its version then. What only the newer one holds is lost."""
    with transaction(engine.execution_options(writes=True)) as connection:
        command.downgrade(alembic_config(connection), to)
        return version_of(connection)


def _wait_for_turn(connection: Connection) -> None:
    """On SQLite the transaction itself is the turn."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")


def _refuse_encoding(connection: Connection) -> None:
    """Raise DatabaseUnavailable where not every client's words could be kept."""
    if connection.dialect.name != "postgresql":
        return
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
    if encoding not in ENCODINGS:
        raise DatabaseUnavailable(
            f"Expected a database whose encoding is UTF8 but received {encoding}: make "
            "one by CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0."
        )


def _take_tables(connection: Connection) -> None:
    """Have every table before the first of them changes, so that nobody is in the way.

    Transactions at work lock tables in orders of their own; waiting for one table while
    holding another would end in a deadlock, and whoever waits has others wait. So it is
    all at once or not at all, tried until there is a gap. Raises DatabaseUnavailable.
    """
    names = sorted(set(inspect(connection).get_table_names()) - {"alembic_version"})
    if connection.dialect.name != "postgresql" or not names:
        return
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {GAP_MS}")
    for _ in range(TRIES):
        with suppress(exc.OperationalError), connection.begin_nested():
            connection.exec_driver_sql(
                f"LOCK TABLE {', '.join(names)} IN ACCESS EXCLUSIVE MODE"
            )
            connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
            return
        time.sleep(random.uniform(0, 2 * GAP_MS / 1000))  # noqa: S311 - no secret
    raise DatabaseUnavailable(
        "The tables were in use all the time: run pixtools migrate again, or stop "
        "whatever holds a transaction open."
    )


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's view of the migrations, over an open connection."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
