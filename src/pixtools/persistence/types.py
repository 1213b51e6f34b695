"""How times are stored, aware and in UTC on every engine; and documents.

A job has a dozen of each, so on SQLite, where all this is for us to do, little is done.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from pydantic_core import from_json, to_json
from sqlalchemy import JSON, DateTime, Dialect
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator, TypeEngine

_WITHOUT_ZONE: Final = len("2026-11-23 08:30:00.000000")
"""All of a time in UTC that is kept: cutting the text is cheaper than the time."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime; raises ValueError for a naive one.

    SQLite keeps text without a zone, which sorts as time does; elsewhere the column
    is a timestamp with time zone.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:
        """How UTC is stored."""
        return _text if dialect.name == "sqlite" else _utc

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[Any], Any]:
        """How aware UTC is answered."""
        del coltype
        return _read_text if dialect.name == "sqlite" else _utc


class Json(TypeDecorator[Any]):
    """A document: text on SQLite, JSONB on PostgreSQL; None is NULL, not `null`."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """PostgreSQL's own kind there."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(JSONB(none_as_null=True))
        return super().load_dialect_impl(dialect)

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """How a value is stored."""
        return _json if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[Any], Any] | None:
        """How it is answered."""
        if dialect.name == "sqlite":
            return _read_json
        return super().result_processor(dialect, coltype)


def json_text(value: object) -> str:
    """JSON by pydantic, in a quarter of the time that `json` takes."""
    return to_json(value).decode()


def _json(value: object) -> str | None:
    return None if value is None else to_json(value).decode()


def _read_json(value: str | None) -> Any:  # noqa: ANN401 - whatever was stored
    return None if value is None else from_json(value)


def _utc(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("Expected an aware time but received a naive one.")
    return value if value.tzinfo is UTC else value.astimezone(UTC)


def _text(value: datetime | None) -> str | None:
    moment = _utc(value)
    return None if moment is None else _written(moment)


@lru_cache(maxsize=256)
def _written(moment: datetime) -> str:
    """A time in UTC as text.

    The same moment stands in several rows, and is written again whenever its job is:
    about ten of sixty-five are new, so this is room for those of two dozen jobs.
    """
    return moment.isoformat(" ", "microseconds")[:_WITHOUT_ZONE]


def _read_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(f"{value}+00:00")
