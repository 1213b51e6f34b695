"""Statuses written into a statement, so that partial indexes are used."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, ColumnElement, Text, literal_column


def literally(word: str) -> ColumnElement[str]:
    """A constant that stands in the SQL text, not in a parameter; a word of ours.

    SQLAlchemy's own way (`literal_execute`) would write the text anew each time.
    """
    if not word.isidentifier():
        raise ValueError(f"Expected a plain word but received {word!r}.")
    return literal_column(f"'{word}'", Text())


def one_of(column: Column[Any], words: tuple[str, ...]) -> ColumnElement[bool]:
    """Whether a column holds one of some constants."""
    return column.in_([literally(word) for word in words])
