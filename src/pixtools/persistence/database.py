"""The database port over SQLAlchemy Core: no ORM, no session, no hidden queries."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, exc

from pixtools.domain.errors import DatabaseUnavailable
from pixtools.persistence.batches import SqlBatches
from pixtools.persistence.config import PersistenceConfig
from pixtools.persistence.deliveries import SqlDeliveries
from pixtools.persistence.engine import open_engine, transaction
from pixtools.persistence.history import SqlHistory
from pixtools.persistence.idempotency import SqlIdempotency
from pixtools.persistence.jobs import SqlJobs
from pixtools.persistence.keys import SqlKeys
from pixtools.persistence.letters import (
    SqlAttempts,
    SqlCircuits,
    SqlSandboxes,
    SqlSecrets,
)
from pixtools.persistence.outbox import SqlOutbox
from pixtools.persistence.queues import SqlQueues
from pixtools.persistence.schema import check_schema
from pixtools.persistence.stages import SqlStages
from pixtools.persistence.usage import SqlUsages

FAULTS_OF_OURS = (exc.DataError, exc.IntegrityError, exc.ProgrammingError)
"""Errors of statements; every other one is the database's."""


@dataclass(frozen=True, slots=True)
class SqlTransaction:
    """One open transaction."""

    jobs: SqlJobs
    stages: SqlStages
    queues: SqlQueues
    outbox: SqlOutbox
    idempotency: SqlIdempotency
    batches: SqlBatches
    history: SqlHistory
    keys: SqlKeys
    usage: SqlUsages
    deliveries: SqlDeliveries
    attempts: SqlAttempts
    circuits: SqlCircuits
    secrets: SqlSecrets
    sandboxes: SqlSandboxes


class SqlDatabase:
    """Facts in SQLite or PostgreSQL. All raise DatabaseUnavailable if it is away."""

    def __init__(self, config: PersistenceConfig) -> None:
        self._engine = open_engine(config)
        embedded = self.one_writer
        # SQLite lets waiting writers poll; within this process they queue instead.
        self._turn: AbstractContextManager[object] = (
            threading.Lock() if embedded else nullcontext()
        )
        self._reader = self._engine.execution_options(reads=True)
        self._writer = self._engine.execution_options(writes=True)

    @property
    def one_writer(self) -> bool:
        """Whether a write keeps every other one waiting."""
        return self._engine.dialect.name == "sqlite"

    @contextmanager
    def write(self) -> Iterator[SqlTransaction]:
        """Change things; on SQLite one writer at a time."""
        with self._turn, _transaction(self._writer) as connection:
            yield _bound(connection)

    @contextmanager
    def read(self) -> Iterator[SqlTransaction]:
        """See one moment of the database."""
        with _transaction(self._reader) as connection:
            yield _bound(connection)

    def check(self) -> None:
        """Raise DatabaseUnavailable if it does not answer or lacks migrations."""
        with _transaction(self._reader) as connection:
            check_schema(connection)

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()


@contextmanager
def _transaction(engine: Engine) -> Iterator[Connection]:
    try:
        with transaction(engine) as connection:
            yield connection
    except FAULTS_OF_OURS:
        raise
    except (exc.DBAPIError, exc.TimeoutError) as error:
        raise DatabaseUnavailable from error


def _bound(connection: Connection) -> SqlTransaction:
    return SqlTransaction(
        jobs=SqlJobs(connection),
        stages=SqlStages(connection),
        queues=SqlQueues(connection),
        outbox=SqlOutbox(connection),
        idempotency=SqlIdempotency(connection),
        batches=SqlBatches(connection),
        history=SqlHistory(connection),
        keys=SqlKeys(connection),
        usage=SqlUsages(connection),
        deliveries=SqlDeliveries(connection),
        attempts=SqlAttempts(connection),
        circuits=SqlCircuits(connection),
        secrets=SqlSecrets(connection),
        sandboxes=SqlSandboxes(connection),
    )
