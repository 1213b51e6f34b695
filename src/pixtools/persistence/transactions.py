"""Transactions from their beginning to their end."""

from __future__ import annotations

from types import TracebackType
from typing import Final, NoReturn

from sqlalchemy import Dialect, Engine, exc
from sqlalchemy.engine.interfaces import DBAPIModule

from pixtools.domain.errors import DatabaseUnavailable
from pixtools.persistence.engine import begin, leave_out_values
from pixtools.persistence.lines import Known, Line
from pixtools.persistence.pool import Pool

FAULTS_OF_OURS: Final = (exc.DataError, exc.IntegrityError, exc.ProgrammingError)
"""Errors of statements; every other one is the database's."""


class Lines:
    """Opens them over the connections of a pool."""

    def __init__(self, engine: Engine, pool: Pool) -> None:
        self.dialect = engine.dialect
        self.pool = pool
        self.known: Known = {}
        self.kind = Line
        """What is opened; a test opens one that listens."""

    def transaction(self, *, writes: bool) -> Opening:
        """A line whose transaction commits with its block."""
        return Opening(self, writes=writes)


class Opening:
    """A transaction from its beginning to its end.

    Raises SQLAlchemy's errors for those that are ours, and DatabaseUnavailable for
    those of the database.
    """

    __slots__ = ("_lent", "_line", "_lines", "_writes")

    def __init__(self, lines: Lines, *, writes: bool) -> None:
        self._lines = lines
        self._writes = writes
        self._line: Line | None = None

    def __enter__(self) -> Line:
        lines = self._lines
        try:
            self._lent = lines.pool.take()
        except (exc.DBAPIError, exc.TimeoutError) as error:
            raise DatabaseUnavailable from error
        except _errors_of(lines.dialect) as error:
            self._fail(error)
        raw = self._lent.raw
        try:
            begin(raw, writes=self._writes)
            self._line = line = lines.kind(raw, lines.dialect, lines.known)
        except BaseException as error:
            self._undo(error)
            raise
        return line

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            try:
                self._lent.raw.commit()
            except BaseException as refused:
                self._undo(refused)
                raise
            self._lines.pool.give_back(self._lent)
        else:
            self._undo(error)

    def _undo(self, error: BaseException) -> None:
        """Take everything back; raises a driver's error under its name."""
        dialect, pool = self._lines.dialect, self._lines.pool
        if not isinstance(error, _errors_of(dialect)):
            pool.undo(self._lent)
            return
        if dialect.is_disconnect(error, self._lent.raw, None):
            pool.drop(self._lent)
        else:
            pool.undo(self._lent)
        self._fail(error)

    def _fail(self, error: DBAPIModule.Error) -> NoReturn:
        named = _named(error, self._line, self._lines.dialect)
        if isinstance(named, FAULTS_OF_OURS):
            raise named from error
        named.__cause__ = error
        raise DatabaseUnavailable from named


def _errors_of(dialect: Dialect) -> type[DBAPIModule.Error]:
    return dialect.loaded_dbapi.Error


def _named(error: Exception, line: Line | None, dialect: Dialect) -> Exception:
    """As SQLAlchemy calls the error on every engine."""
    named = exc.DBAPIError.instance(
        line.said if line else None,
        None,
        error,
        _errors_of(dialect),
        hide_parameters=True,
        dialect=dialect,
    )
    if isinstance(named, exc.DBAPIError):
        leave_out_values(named)
    return named
