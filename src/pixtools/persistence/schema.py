"""Which version of the schema a database has, without the weight of Alembic."""

from __future__ import annotations

import re
from typing import Final

from sqlalchemy import Connection

from pixtools.domain.errors import DatabaseUnavailable
from pixtools.persistence.lines import Line

HEAD: Final = "0006"
"""The newest migration (a test compares it with the migrations themselves)."""
_OURS: Final = re.compile(r"\d{4}")

_HAS_VERSION: Final = {
    "sqlite": "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'",
    "postgresql": "SELECT 1 WHERE to_regclass('alembic_version') IS NOT NULL",
}


def version_of(connection: Connection | Line) -> str | None:
    """The migration that a database stands at; None for an empty one.

    Raises DatabaseUnavailable for a number that is none of ours.
    """
    has_version = _HAS_VERSION[connection.dialect.name]
    if connection.exec_driver_sql(has_version).first() is None:
        return None
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version")
    row = found.first()
    version: str | None = row[0] if row else None
    if version is not None and not _OURS.fullmatch(version):
        raise DatabaseUnavailable(
            "The tables in this database are another program's (its alembic_version "
            f"is {version}): PixTools needs a database, or a schema, of its own."
        )
    return version


def check_schema(connection: Line) -> None:
    """Raise DatabaseUnavailable if the database is older than this release."""
    version = version_of(connection)
    if version is None or version < HEAD:
        raise DatabaseUnavailable(
            f"The database stands at migration {version or 'none'} and this release "
            f"needs {HEAD}: run pixtools migrate."
        )
