"""Connections to PostgreSQL that wait for nobody without end.

A server whose machine is gone is noticed by its silence on the wire; one that is
frozen answers there and is noticed by an answer that does not come.
"""

from __future__ import annotations

import select
from typing import Any, Final

import psycopg
from psycopg.abc import RV, PQGen
from sqlalchemy import Dialect, make_url
from sqlalchemy.exc import DisconnectionError

CONNECT_SECONDS: Final = 5
SILENT_SECONDS: Final = 15
"""Then a peer that acknowledges nothing is taken for gone."""
LOOK_EVERY: Final = 0.1
GRACE_SECONDS: Final = 1.0
"""How much longer than the server itself may work on a statement."""

WRITING: Final = b"BEGIN ISOLATION LEVEL READ COMMITTED"
"""Said, for a role or a database may begin others by default: who waited for a lock
counts what was there when the waiting ended, and takes what others left."""
READING: Final = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_WIRE: Final = {
    # Not the database's own, in which not every name of a photo can be said.
    "client_encoding": "utf8",
    "connect_timeout": CONNECT_SECONDS,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": SILENT_SECONDS * 1000,
}


class PatientConnection(psycopg.Connection[tuple[Any, ...]]):
    """Waits `patience` seconds for each answer; then it is broken."""

    patience: float = 0.0
    """0 is without end."""
    begins: bytes = WRITING
    """How the next transaction begins: WRITING or READING."""

    def hears(self) -> bool:
        """Whether something came that was not read yet, the end perhaps."""
        ear = select.poll()
        ear.register(self.fileno(), select.POLLIN)
        return bool(ear.poll(0))

    def wait(
        self,
        gen: PQGen[RV],
        interval: float = LOOK_EVERY,
        timeout: float | None = None,
    ) -> RV:
        """Run a conversation with the server; raises psycopg.OperationalError."""
        if not self.patience or timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.patience + GRACE_SECONDS)
        except psycopg.errors._WaitTimeout:  # noqa: SLF001 - promised by `wait`
            self.pgconn.finish()  # nothing more is to be hoped of it
            raise psycopg.OperationalError("The server does not answer.") from None

    def _get_tx_start_command(self) -> bytes:
        """To choose by properties would be three more questions before each BEGIN."""
        return self.begins


def connect(
    url: str,
    *,
    patience: float = 0.0,
    autocommit: bool = False,
    dialect: Dialect | None = None,
) -> PatientConnection:
    """Open a connection by SQLAlchemy's kind of URL, whose own words come first.

    An engine's own dialect says, too, how values are written and read.
    """
    parsed = make_url(url)
    dialect = dialect or parsed.get_dialect()()
    _, words = dialect.create_connect_args(parsed)
    opened = PatientConnection.connect(**{**_WIRE, **words}, autocommit=autocommit)
    opened.patience = patience
    return opened


def replace_if_broken(connection: object, *_: object) -> None:
    """Called when a pool lends a connection; raises for a new one to take its place.

    A server says nothing to a connection that rests, but that it ends. To ask it would
    take as long as a statement; keepalives tell of one that went without a word.
    """
    if not isinstance(connection, PatientConnection):
        return
    if connection.closed or connection.hears():
        raise DisconnectionError
