"""Ports that count what passes through them (decision 0016)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import date
from types import TracebackType
from typing import Any, cast

from pixtools.domain.usage import DayUsage, Metered
from pixtools.jobs.ports.facts import Database, Transaction, Usages
from pixtools.telemetry.metrics import UsageMeters


class CountingDatabase:
    """A database that counts what jobs cost, once it is committed."""

    def __init__(self, database: Database, meters: UsageMeters) -> None:
        self._database = database
        self._meters = meters

    @property
    def one_writer(self) -> bool:
        """As the database says."""
        return self._database.one_writer

    def write(self) -> AbstractContextManager[Transaction]:
        """A transaction; what its end undoes is not counted."""
        return _Counted(self._database.write(), self._meters)

    def read(self) -> AbstractContextManager[Transaction]:
        """As the database does."""
        return self._database.read()

    def check(self) -> None:
        """As the database does."""
        self._database.check()

    def close(self) -> None:
        """As the database does."""
        self._database.close()


class _Counted(AbstractContextManager[Transaction]):
    """A transaction whose usage is counted once it is committed."""

    def __init__(
        self, opened: AbstractContextManager[Transaction], meters: UsageMeters
    ) -> None:
        self._opened = opened
        self._meters = meters
        self._added: list[Metered] = []

    def __enter__(self) -> Transaction:
        return cast("Transaction", _Watched(self._opened.__enter__(), self._added))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        swallowed = self._opened.__exit__(kind, error, trace)
        if error is None:
            for cost in self._added:
                self._meters.count(cost)
        return swallowed


class _Watched:
    """A transaction whose usage is noted; all else is its own."""

    def __init__(self, tx: Transaction, added: list[Metered]) -> None:
        self._tx = tx
        self._added = added

    @property
    def usage(self) -> _Noted:
        return _Noted(self._tx.usage, self._added)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever port it is
        port = getattr(self._tx, name)
        setattr(self, name, port)  # the next time it is found at once
        return port


class _Noted:
    """Usages that remember what was added."""

    def __init__(self, usages: Usages, added: list[Metered]) -> None:
        self._usages = usages
        self._added = added

    def add(self, cost: Metered) -> bool:
        """Keep what a job cost, and note it if it is new."""
        is_new = self._usages.add(cost)
        if is_new:
            self._added.append(cost)
        return is_new

    def by_day(self, tenant: str, first: date, last: date) -> Sequence[DayUsage]:
        """As the database does."""
        return self._usages.by_day(tenant, first, last)

    def forget(self, before: date, limit: int) -> int:
        """As the database does."""
        return self._usages.forget(before, limit)
