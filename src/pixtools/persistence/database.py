"""The database port over SQLAlchemy Core: no ORM, no session, no hidden queries."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from functools import cached_property
from types import TracebackType
from typing import Final

from pixtools.persistence.batches import SqlBatches
from pixtools.persistence.config import PersistenceConfig
from pixtools.persistence.deliveries import SqlDeliveries
from pixtools.persistence.engine import open_engine
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
from pixtools.persistence.lines import Line
from pixtools.persistence.outbox import SqlOutbox
from pixtools.persistence.queues import SqlQueues
from pixtools.persistence.schema import check_schema
from pixtools.persistence.stages import SqlStages
from pixtools.persistence.transactions import Lines, Opening
from pixtools.persistence.usage import SqlUsages

_FREE: Final[AbstractContextManager[object]] = nullcontext()
"""The turn of whoever needs none."""


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
        self._lines = Lines(self._engine)
        # SQLite lets waiting writers poll; within this process they queue instead.
        self._turn = threading.Lock() if self.one_writer else _FREE

    @property
    def one_writer(self) -> bool:
        """Whether a write keeps every other one waiting."""
        return self._engine.dialect.name == "sqlite"

    def write(self) -> AbstractContextManager[SqlTransaction]:
        """Change things; on SQLite one writer at a time."""
        return _Opened(self._lines.transaction(writes=True), self._turn)

    def read(self) -> AbstractContextManager[SqlTransaction]:
        """See one moment of the database."""
        return _Opened(self._lines.transaction(writes=False), _FREE)

    def check(self) -> None:
        """Raise DatabaseUnavailable if it does not answer or lacks migrations."""
        with self._lines.transaction(writes=False) as line:
            check_schema(line)

    def in_silence(self) -> AbstractContextManager[None]:
        """Log no trouble for a block, of which somebody is told otherwise."""
        return self._lines.trouble.in_silence()

    def clock_lead(self) -> timedelta:
        """How far this machine's clock is before the database's; a file has none."""
        if self.one_writer:
            return timedelta()
        with self._lines.transaction(writes=False) as line:
            asked = datetime.now(UTC)
            there = line.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
            took = datetime.now(UTC) - asked
        lead: timedelta = asked + took / 2 - there
        return lead

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()


class _Opened(AbstractContextManager[SqlTransaction]):
    """A transaction in its turn; a generator would take as long as the rest of it."""

    __slots__ = ("_opening", "_turn")

    def __init__(self, opening: Opening, turn: AbstractContextManager[object]) -> None:
        self._opening = opening
        self._turn = turn

    def __enter__(self) -> SqlTransaction:
        self._turn.__enter__()
        try:
            return SqlTransaction(self._opening.__enter__())
        except BaseException:
            self._turn.__exit__(None, None, None)
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._opening.__exit__(kind, error, trace)
        finally:
            self._turn.__exit__(None, None, None)
