"""Ports that count what passes through them (decision 0016)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date
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

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction; what its end undoes is not counted."""
        with self._database.write() as tx:
            watched = _Watched(tx)
            yield cast("Transaction", watched)
        for cost in watched.usage.added:
            self._meters.count(cost)

    def read(self) -> AbstractContextManager[Transaction]:
        """As the database does."""
        return self._database.read()

    def check(self) -> None:
        """As the database does."""
        self._database.check()

    def close(self) -> None:
        """As the database does."""
        self._database.close()


class _Watched:
    """A transaction whose usage is noted; all else is its own."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self.usage = _Noted(tx.usage)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever port it is
        return getattr(self._tx, name)


class _Noted:
    """Usages that remember what was added."""

    def __init__(self, usages: Usages) -> None:
        self._usages = usages
        self.added: list[Metered] = []

    def add(self, cost: Metered) -> bool:
        """Keep what a job cost, and note it if it is new."""
        is_new = self._usages.add(cost)
        if is_new:
            self.added.append(cost)
        return is_new

    def by_day(self, tenant: str, first: date, last: date) -> Sequence[DayUsage]:
        """As the database does."""
        return self._usages.by_day(tenant, first, last)

    def forget(self, before: date, limit: int) -> int:
        """As the database does."""
        return self._usages.forget(before, limit)
