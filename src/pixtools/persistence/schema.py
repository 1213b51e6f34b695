"""Which version of the schema a database has, without the weight of Alembic."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, inspect, text

from pixtools.domain.errors import DatabaseUnavailable

HEAD: Final = "0006"
"""The newest migration (a test compares it with the migrations themselves)."""


def version_of(connection: Connection) -> str | None:
    """The migration that a database stands at; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version"))
    return found.scalar_one_or_none()


def check_schema(connection: Connection) -> None:
    """Raise DatabaseUnavailable if the database is older than this release."""
    version = version_of(connection)
    if version is None or version < HEAD:
        raise DatabaseUnavailable(
            f"The database stands at migration {version or 'none'} and this release "
            f"needs {HEAD}: run pixtools migrate."
        )
