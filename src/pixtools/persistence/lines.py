"""Statements on their way to the driver, without a detour.

SQLAlchemy says once what a statement is on each engine, how its values are written and
how its rows are read. To let it find that out anew each time, and open a connection and
a transaction of its own, takes several times as long as SQLite takes for the rest.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, cast

from sqlalchemy import BindParameter, Dialect, Executable
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

Values = Mapping[str, Any]
Parameters = Sequence[Any] | Mapping[str, Any]
Processor = Callable[[Any], Any]
Known = dict[tuple[Executable, tuple[str, ...]], "Prepared"]


class Row(Protocol):
    """A tuple whose columns have names, too."""

    def _asdict(self) -> dict[str, Any]: ...

    def __getattr__(self, name: str) -> Any: ...  # noqa: ANN401 - a column's value

    def __getitem__(self, index: int) -> Any: ...  # noqa: ANN401 - a column's value

    def __iter__(self) -> Iterator[Any]: ...


@dataclass(frozen=True, slots=True)
class Rows:
    """All that a statement answers; `rowcount` as the driver counts."""

    rows: Sequence[Row]
    rowcount: int

    def __iter__(self) -> Iterator[Row]:
        """Each row."""
        return iter(self.rows)

    def first(self) -> Row | None:
        """The first row, or None."""
        return self.rows[0] if self.rows else None

    def one(self) -> Row:
        """The only row; raises ValueError if there are none or more."""
        (row,) = self.rows
        return row

    def scalar(self) -> Any:  # noqa: ANN401 - a column's value
        """The first column of the first row, or None."""
        return self.rows[0][0] if self.rows else None

    def scalar_one(self) -> Any:  # noqa: ANN401 - a column's value
        """The first column of the only row."""
        return self.one()[0]


@dataclass(slots=True, kw_only=True)
class Prepared:
    """A statement in the words of one engine, for values of certain names."""

    text: str
    binds: Sequence[tuple[str | None, Processor | None, object]]
    """Where each value stands: its name and how it is written, or what it always is."""
    names: Sequence[str] | None
    """By what names the driver takes them; None if by their order."""
    reader: Callable[[Sequence[Any]], Processor]
    """How rows of such columns, as the driver describes them, are read."""
    read: Processor | None = None
    """From the driver's row to ours; known with the first answer."""

    def parameters(self, values: Values) -> Parameters:
        """Values as the driver takes them."""
        given = [
            constant
            if name is None
            else values[name]
            if write is None
            else write(values[name])
            for name, write, constant in self.binds
        ]
        if self.names is None:
            return given
        return dict(zip(self.names, given, strict=True))


class Line:
    """A connection in a transaction, which takes the statements of all rooms."""

    __slots__ = ("_known", "_raw", "dialect", "said")

    def __init__(
        self,
        raw: DBAPIConnection,
        dialect: Dialect,
        known: Known,
    ) -> None:
        self._raw = raw
        self._known = known
        self.dialect = dialect
        self.said = ""

    def execute(
        self, statement: Executable, values: Values | Sequence[Values] = ()
    ) -> Rows:
        """Run a statement that is made once and lives on; or once for each of many."""
        each = [values] if isinstance(values, Mapping) else values or [{}]
        ready = self._prepared(statement, tuple(each[0]))
        if len(each) == 1:
            return self._told(ready.text, ready.parameters(each[0]), ready)
        self.said = ready.text
        cursor = self._raw.cursor()
        cursor.executemany(
            ready.text, cast("Any", [ready.parameters(one) for one in each])
        )
        return Rows((), cursor.rowcount)

    def exec_driver_sql(self, text: str, parameters: Parameters = ()) -> Rows:
        """Run what is written in the driver's own words."""
        return self._told(text, parameters)

    def _told(
        self, text: str, parameters: Parameters, ready: Prepared | None = None
    ) -> Rows:
        self.said = text
        cursor = self._raw.cursor()
        cursor.execute(text, parameters)
        about = cursor.description
        rows = cursor.fetchall() if about else ()
        if about and ready:
            ready.read = ready.read or ready.reader(about)
            rows = [*map(ready.read, rows)]
        return Rows(rows, cursor.rowcount)

    def _prepared(self, statement: Executable, names: tuple[str, ...]) -> Prepared:
        ready = self._known.get((statement, names))
        if ready is None:
            ready = prepared(statement, names, self.dialect)
            self._known[statement, names] = ready
        return ready


def prepared(
    statement: Executable, names: tuple[str, ...], dialect: Dialect
) -> Prepared:
    """Say a statement in an engine's words; raises KeyError for a missing value."""
    said = cast("ClauseElement", statement).compile(
        dialect=dialect, column_keys=list(names)
    )
    if not isinstance(said, SQLCompiler) or said.post_compile_params:
        raise TypeError("Expected a statement whose text does not hang on its values.")
    order = said.positiontup if said.positional else list(said.binds)
    return Prepared(
        text=said.string,
        binds=[_bind(said.binds[name], name, names, dialect) for name in order or ()],
        names=None if said.positional else order,
        reader=partial(_reader, statement, dialect),
    )


def _bind(
    bind: BindParameter[Any], name: str, names: tuple[str, ...], dialect: Dialect
) -> tuple[str | None, Processor | None, object]:
    write = bind.type.dialect_impl(dialect).bind_processor(dialect)
    if name in names:
        return name, write, None
    if bind.required:
        raise KeyError(name)
    constant = bind.effective_value
    return None, None, write(constant) if write else constant


def _reader(statement: Executable, dialect: Dialect, about: Sequence[Any]) -> Processor:
    columns = list(getattr(statement, "exported_columns", ()))
    named = namedtuple("Row", [str(c.key) for c in columns], rename=True)  # type: ignore[misc] # noqa: PYI024 - made at run time
    found = [
        column.type.dialect_impl(dialect).result_processor(dialect, described[1])
        for column, described in zip(columns, about, strict=True)
    ]
    reads = [(at, read) for at, read in enumerate(found) if read]

    def read_row(row: Sequence[Any]) -> Row:
        values = list(row)
        for at, read in reads:
            values[at] = read(values[at])
        return cast("Row", named._make(values))

    return read_row if reads else named._make
