"""The database port over SQLAlchemy Core: no ORM, no session, no hidden queries."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property

from sqlalchemy import exc

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
from pixtools.persistence.lines import Line, Lines
from pixtools.persistence.outbox import SqlOutbox
from pixtools.persistence.queues import SqlQueues
from pixtools.persistence.schema import check_schema
from pixtools.persistence.stages import SqlStages
from pixtools.persistence.usage import SqlUsages

FAULTS_OF_OURS = (exc.DataError, exc.IntegrityError, exc.ProgrammingError)
"""Errors of statements; every other one is the database's."""


class SqlTransaction:
    """One open transaction; most need three or four of its rooms."""

    def __init__(self, line: Line) -> None:
        self._line = line

    @cached_property
    def jobs(self) -> SqlJobs:
        return SqlJobs(self._line)

    @cached_property
    def stages(self) -> SqlStages:
        return SqlStages(self._line)

    @cached_property
    def queues(self) -> SqlQueues:
        return SqlQueues(self._line)

    @cached_property
    def outbox(self) -> SqlOutbox:
        return SqlOutbox(self._line)

    @cached_property
    def idempotency(self) -> SqlIdempotency:
        return SqlIdempotency(self._line)

    @cached_property
    def batches(self) -> SqlBatches:
        return SqlBatches(self._line)

    @cached_property
    def history(self) -> SqlHistory:
        return SqlHistory(self._line)

    @cached_property
    def keys(self) -> SqlKeys:
        return SqlKeys(self._line)

    @cached_property
    def usage(self) -> SqlUsages:
        return SqlUsages(self._line)

    @cached_property
    def deliveries(self) -> SqlDeliveries:
        return SqlDeliveries(self._line)

    @cached_property
    def attempts(self) -> SqlAttempts:
        return SqlAttempts(self._line)

    @cached_property
    def circuits(self) -> SqlCircuits:
        return SqlCircuits(self._line)

    @cached_property
    def secrets(self) -> SqlSecrets:
        return SqlSecrets(self._line)

    @cached_property
    def sandboxes(self) -> SqlSandboxes:
        return SqlSandboxes(self._line)


class SqlDatabase:
    """Facts in SQLite or PostgreSQL. All raise DatabaseUnavailable if it is away."""

    def __init__(self, config: PersistenceConfig) -> None:
        self._engine = open_engine(config)
        embedded = self.one_writer
        # SQLite lets waiting writers poll; within this process they queue instead.
        self._turn: AbstractContextManager[object] = (
            threading.Lock() if embedded else nullcontext()
        )
        self._lines = Lines(self._engine)

    @property
    def one_writer(self) -> bool:
        """Whether a write keeps every other one waiting."""
        return self._engine.dialect.name == "sqlite"

    @contextmanager
    def write(self) -> Iterator[SqlTransaction]:
        """Change things; on SQLite one writer at a time."""
        with self._turn, _available(), self._lines.transaction(writes=True) as line:
            yield SqlTransaction(line)

    @contextmanager
    def read(self) -> Iterator[SqlTransaction]:
        """See one moment of the database."""
        with _available(), self._lines.transaction(writes=False) as line:
            yield SqlTransaction(line)

    def check(self) -> None:
        """Raise DatabaseUnavailable if it does not answer or lacks migrations."""
        with _available(), transaction(self._engine) as connection:
            check_schema(connection)

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()


@contextmanager
def _available() -> Iterator[None]:
    try:
        yield
    except FAULTS_OF_OURS:
        raise
    except (exc.DBAPIError, exc.TimeoutError) as error:
        raise DatabaseUnavailable from error
