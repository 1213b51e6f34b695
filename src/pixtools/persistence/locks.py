"""PostgreSQL's advisory locks by name; SQLite has one writer and needs none.

All end with the transaction. They guard what has no row yet, and counts of many rows.
"""

from __future__ import annotations

import zlib
from enum import IntEnum
from typing import Any, Final

from sqlalchemy import BindParameter, Select, bindparam, func, select

from pixtools.persistence.lines import Line

_NUMBER: Final[BindParameter[int]] = bindparam("number")
_HOLD: Final = select(func.pg_advisory_xact_lock(_NUMBER))
_TRY: Final = select(func.pg_try_advisory_xact_lock(_NUMBER))
_FIRST: Final = 7_161_952_119 << 20
_NAMES: Final = 1 << 32


class Locked(IntEnum):
    """Where the numbers of each kind of lock begin; nothing else locks there."""

    HOSTS = _FIRST
    TENANTS = _FIRST + _NAMES
    CIRCUITS = _FIRST + 2 * _NAMES


def hold(connection: Line, kind: Locked, name: str) -> None:
    """Wait until nobody else holds it."""
    _lock(connection, _HOLD, kind, name)


def try_hold(connection: Line, kind: Locked, name: str) -> bool:
    """Hold it, unless others do."""
    return _lock(connection, _TRY, kind, name) is not False


def _lock(connection: Line, how: Select[Any], kind: Locked, name: str) -> object:
    if connection.dialect.name != "postgresql":
        return None
    number = kind + zlib.crc32(name.encode())
    return connection.execute(how, {"number": number}).scalar()
