"""Transactions from their beginning to their end."""

from __future__ import annotations

from contextlib import suppress
from types import TracebackType
from typing import Final, NoReturn, cast

from sqlalchemy import Dialect, Engine, exc
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPIModule
from sqlalchemy.pool import PoolProxiedConnection

from pixtools.domain.errors import DatabaseUnavailable
from pixtools.persistence.engine import begin, leave_out_values
from pixtools.persistence.lines import Known, Line
from pixtools.persistence.trouble import Trouble

FAULTS_OF_OURS: Final = (exc.DataError, exc.IntegrityError, exc.ProgrammingError)
"""Errors of statements; every other one is the database's."""
_ALTERED: Final = frozenset({"42501", "42P01"})
"""Rights or tables that are missing, by SQLSTATE: no statement of ours is wrong."""
_READ_ONLY: Final = "25006"
_NONE_TO_BE_HAD: Final = (exc.DBAPIError, exc.TimeoutError, exc.InvalidRequestError)
"""A pool's errors; the last one says that new connections broke at once, too."""


class Lines:
    """Opens them over an engine's connections."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.dialect = engine.dialect
        self.known: Known = {}
        self.trouble = Trouble()
        self.kind = Line
        """What is opened; a test opens one that listens."""

    def transaction(self, *, writes: bool) -> Opening:
        """A line whose transaction commits with its block."""
        return Opening(self, writes=writes)


class Opening:
    """A transaction from its beginning to its end: what does not commit is undone.

    Raises SQLAlchemy's errors for those that are ours, and DatabaseUnavailable for
    those of the database.
    """

    __slots__ = ("_lent", "_line", "_lines", "_raw", "_writes")

    def __init__(self, lines: Lines, *, writes: bool) -> None:
        self._lines = lines
        self._writes = writes
        self._line: Line | None = None

    def __enter__(self) -> Line:
        lines = self._lines
        try:
            self._lent = lines.engine.raw_connection()
        except (*_NONE_TO_BE_HAD, _errors_of(lines.dialect)) as error:
            lines.trouble.note(error)
            raise DatabaseUnavailable from error
        self._raw = cast("DBAPIConnection", self._lent.driver_connection)
        try:
            begin(self._raw, writes=self._writes)
            self._line = line = lines.kind(self._raw, lines.dialect, lines.known)
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
                self._raw.commit()
            except BaseException as refused:
                self._undo(refused)
                raise
            self._lent.close()
        else:
            self._undo(error)

    def _undo(self, error: BaseException) -> None:
        """Take everything back; raises a driver's error under its name."""
        dialect = self._lines.dialect
        if not isinstance(error, _errors_of(dialect)):
            _undone(self._lent, self._raw)
            return
        # What a server will not write today, it writes to a new connection perhaps: one
        # that has become a standby, or was forbidden to write, tells no open one of it.
        forbidden = _state_of(error) == _READ_ONLY
        if forbidden or dialect.is_disconnect(error, self._raw, None):
            self._lent.invalidate(error)
        else:
            _undone(self._lent, self._raw)
        self._fail(error)

    def _fail(self, error: DBAPIModule.Error) -> NoReturn:
        named = _named(error, self._line, self._lines.dialect)
        if isinstance(named, FAULTS_OF_OURS) and _state_of(error) not in _ALTERED:
            raise named from error
        self._lines.trouble.note(error)
        named.__cause__ = error
        raise DatabaseUnavailable from named


def _undone(lent: PoolProxiedConnection, raw: DBAPIConnection) -> None:
    """Roll back and give the connection back; one that can't is closed."""
    whole = False
    try:
        with suppress(Exception):  # whatever is the matter with it, it is of no use
            raw.rollback()
            whole = True
    finally:
        if whole:
            lent.close()
        else:
            lent.invalidate()


def _state_of(error: Exception) -> str | None:
    """PostgreSQL's own name for an error."""
    return getattr(error, "sqlstate", None)


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
