"""A database that goes away at one commit: nobody is told whether it happened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from pixtools.domain.errors import DatabaseUnavailable
from pixtools.jobs.ports.facts import Database, Transaction


class DoubtfulDatabase:
    """Loses the answer to its n-th commit, or the commit itself; then all is well."""

    def __init__(self, database: Database, commit: int, *, happens: bool) -> None:
        """`commit` counts from 1."""
        self._database = database
        self._left = commit
        self._happens = happens

    @property
    def reached(self) -> bool:
        """Whether an answer was lost."""
        return self._left <= 0

    @property
    def one_writer(self) -> bool:
        """As the database says."""
        return self._database.one_writer

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction of which one may not be answered."""
        self._left -= 1
        lost = self._left == 0
        with self._database.write() as tx:
            yield tx
            if lost and not self._happens:
                raise DatabaseUnavailable
        if lost:
            raise DatabaseUnavailable

    def read(self) -> AbstractContextManager[Transaction]:
        """As the database does."""
        return self._database.read()

    def check(self) -> None:
        """As the database does."""
        self._database.check()

    def close(self) -> None:
        """As the database does."""
        self._database.close()
