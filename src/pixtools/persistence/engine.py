"""Opening a database: connections as PixTools needs them."""

from __future__ import annotations

import sqlite3

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from pixtools.domain.errors import DatabaseUnavailable
from pixtools.persistence.config import PersistenceConfig


def open_engine(config: PersistenceConfig) -> Engine:
    """Make an engine; nothing is connected yet.

    SQLite: write-ahead log, every commit on disk before it is answered, transactions
    begun by us so that a writer takes its lock first. What clients sent never stands
    in the text of an error, and so not in a log.
    """
    if config.sqlite_file is None:
        return create_engine(
            config.url,
            pool_size=config.pool_size,
            max_overflow=config.overflow,
            hide_parameters=True,
        )
    config.sqlite_file.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        config.url,
        pool_size=config.pool_size,
        max_overflow=config.overflow,
        hide_parameters=True,
        connect_args={
            "timeout": config.busy_timeout,
            "isolation_level": None,
            "check_same_thread": False,  # the pool lends it to one thread at a time
        },
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    if not isinstance(connection, sqlite3.Connection):
        raise TypeError("Expected a connection of the sqlite3 module.")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    raw = connection.connection.driver_connection
    if not isinstance(raw, sqlite3.Connection):
        return
    try:
        raw.execute("BEGIN IMMEDIATE" if writes else "BEGIN DEFERRED")
    except sqlite3.Error as error:  # SQLAlchemy does not see this statement
        raise DatabaseUnavailable from error
