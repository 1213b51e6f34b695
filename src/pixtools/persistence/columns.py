"""What all tables share: their names, and the kinds of their columns."""

from __future__ import annotations

from typing import Final

from sqlalchemy import MetaData, String

from pixtools.persistence.types import Json

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Document: Final = Json(none_as_null=True)
Id: Final = String(36)
Word: Final = String(32)
