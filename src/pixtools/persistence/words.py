"""Statuses written into a statement, so that partial indexes are used."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BindParameter, Column, ColumnElement, bindparam


def literally(word: str) -> BindParameter[str]:
    """A constant that stands in the SQL text, not in a parameter."""
    return bindparam(None, word, literal_execute=True)


def one_of(column: Column[Any], words: tuple[str, ...]) -> ColumnElement[bool]:
    """Whether a column holds one of some constants."""
    return column.in_([literally(word) for word in words])
