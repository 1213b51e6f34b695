"""Opening a database: connections as PixTools needs them."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from pydantic_core import from_json
from sqlalchemy import Connection, Engine, create_engine, event, exc
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from pixtools.domain.errors import DatabaseUnavailable
from pixtools.persistence.config import PersistenceConfig
from pixtools.persistence.types import json_text

IDLE_SECONDS = 60
"""Then a transaction whose process was frozen lets go of its rows."""
LOOK_AGAIN = 0.01


def open_engine(config: PersistenceConfig) -> Engine:
    """Make an engine; nothing is connected yet.

    SQLite: write-ahead log, every commit on disk before it is answered, transactions
    begun by us so that a writer takes its lock first. PostgreSQL: a connection that
    broke meanwhile is replaced before it is used, and nobody is waited for without
    end. What clients sent never stands in the text of an error, and so not in a log.
    """
    if config.sqlite_file is None:
        return _on_a_server(config)
    config.sqlite_file.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        config.url,
        **_common(config),
        connect_args={
            "timeout": config.busy_timeout,
            "isolation_level": None,
            "check_same_thread": False,  # the pool lends it to one thread at a time
        },
    )
    event.listen(engine, "connect", partial(_prepare, patience=config.busy_timeout))
    return engine


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction that commits with its block.

    How it begins is said here, and errors pass by here: an engine that anyone listens
    to for that tells of every statement several times, which costs as much as the
    statement.
    """
    try:
        with engine.begin() as connection:
            writes = bool(connection.get_execution_options().get("writes"))
            begin(connection.connection.driver_connection, writes=writes)
            yield connection
    except exc.DBAPIError as error:
        leave_out_values(error)
        raise


def begin(raw: object, *, writes: bool) -> None:
    """Begin a transaction on a driver's connection; on SQLite a writer's turn.

    One that its owner was kept from ending, by a signal say, is undone before: nobody
    else does that, and ours would commit it.
    """
    if isinstance(raw, sqlite3.Connection):
        _begin_in_file(raw, writes=writes)
        return
    from pixtools.persistence.patient import READING, WRITING, PatientConnection

    if isinstance(raw, PatientConnection):
        if raw.pgconn.transaction_status:
            raw.rollback()
        raw.begins = WRITING if writes else READING


def leave_out_values(error: exc.DBAPIError) -> None:
    """PostgreSQL's own words about an error go on with the row that it is about."""
    diagnosis = getattr(error.orig, "diag", None)
    sentence = getattr(diagnosis, "message_primary", None)
    if sentence and error.orig:
        error.orig.args = error.args = (sentence,)


def _common(config: PersistenceConfig) -> dict[str, Any]:
    return {
        "hide_parameters": True,
        "json_serializer": json_text,
        "json_deserializer": from_json,
        "pool_size": config.pool_size,
        "max_overflow": config.overflow,
        "pool_timeout": config.pool_timeout,
        # Whoever opens a transaction ends it; one rollback more for each takes as long
        # as a small one on SQLite.
        "pool_reset_on_return": None,
    }


def _on_a_server(config: PersistenceConfig) -> Engine:
    # psycopg: in the cluster only
    from pixtools.persistence.patient import connect, replace_if_broken

    engine: Engine = create_engine(
        config.url,
        **_common(config),
        creator=lambda: connect(
            config.url, patience=config.patience, dialect=engine.dialect
        ),
    )
    settings = (
        # Whose turn it is, is a short walk of which little is known beforehand: taken
        # for dear, it would be compiled each time, for a hundred times what it takes.
        "SET jit = off",
        f"SET lock_timeout = {config.busy_timeout * 1000:.0f}",
        f"SET statement_timeout = {config.patience * 1000:.0f}",
        f"SET idle_in_transaction_session_timeout = {IDLE_SECONDS * 1000}",
    )

    def settle(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute("; ".join(settings))
        cursor.close()
        connection.commit()

    event.listen(engine, "connect", settle)
    event.listen(engine, "checkout", replace_if_broken)
    return engine


def _prepare(
    connection: DBAPIConnection, _entry: ConnectionPoolEntry, *, patience: float
) -> None:
    if not isinstance(connection, sqlite3.Connection):
        raise TypeError("Expected a connection of the sqlite3 module.")
    _write_ahead(connection, patience)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _write_ahead(connection: sqlite3.Connection, patience: float) -> None:
    """Have a write-ahead log; where a new file gets it, SQLite itself waits for nobody.

    Of two processes that open the file for the first time one would fail at once.
    """
    until = time.monotonic() + patience
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > until:
                raise
            time.sleep(LOOK_AGAIN)
        else:
            return


def _begin_in_file(raw: sqlite3.Connection, *, writes: bool) -> None:
    try:
        if raw.in_transaction:
            raw.rollback()
        raw.execute("BEGIN IMMEDIATE" if writes else "BEGIN DEFERRED")
    except sqlite3.Error as error:  # SQLAlchemy does not see this statement
        raise DatabaseUnavailable from error
