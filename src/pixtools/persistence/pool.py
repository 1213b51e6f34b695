"""Connections that stay open, each lent to one thread at a time, and never too many.

SQLAlchemy opens and closes them. Its own pool watches over each loan by a finalizer and
rolls back after each, committed or not, which takes longer than a small transaction.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Engine, exc
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import PoolProxiedConnection

from pixtools.persistence.config import PersistenceConfig
from pixtools.persistence.engine import is_broken


@dataclass(frozen=True, slots=True)
class Lent:
    """A connection: as SQLAlchemy holds it open, and as the driver knows it."""

    held: PoolProxiedConnection
    raw: DBAPIConnection


class Pool:
    """Lends the connections of an engine that keeps none itself."""

    def __init__(self, engine: Engine, config: PersistenceConfig) -> None:
        self._engine = engine
        self._most = config.pool_size + config.overflow
        self._places = threading.BoundedSemaphore(self._most)
        self._patience = config.pool_timeout
        self._keeps = config.pool_size
        self._idle: list[Lent] = []
        self._keeping = threading.Lock()

    def take(self) -> Lent:
        """A connection that is not broken: the last one used, which is warm.

        Raises sqlalchemy.exc.TimeoutError while all are in use, and the driver's
        errors where a new one can't be opened.
        """
        if not self._places.acquire(timeout=self._patience):
            raise exc.TimeoutError(
                f"All {self._most} connections were in use for {self._patience:g} s."
            )
        try:
            return self._found() or self._opened()
        except BaseException:
            self._places.release()
            raise

    def give_back(self, lent: Lent) -> None:
        """End a loan whose transaction is committed, or has never begun."""
        try:
            if not self._kept(lent):
                lent.held.close()
        finally:
            self._places.release()

    def undo(self, lent: Lent) -> None:
        """End a loan whose transaction came to nothing; one that can't is dropped."""
        try:
            lent.raw.rollback()
        except Exception:  # noqa: BLE001 - it is closed, whatever is the matter with it
            self.drop(lent)
        except BaseException:
            self.drop(lent)
            raise
        else:
            self.give_back(lent)

    def drop(self, lent: Lent) -> None:
        """End the loan of a connection that is of no use any more."""
        try:
            lent.held.invalidate()
        finally:
            self._places.release()

    def close(self) -> None:
        """Close all that are idle, and the others as they come back."""
        with self._keeping:
            self._keeps = 0
        while lent := self._popped():
            lent.held.close()

    def _kept(self, lent: Lent) -> bool:
        with self._keeping:
            keeps = len(self._idle) < self._keeps
            if keeps:
                self._idle.append(lent)
            return keeps

    def _found(self) -> Lent | None:
        while lent := self._popped():
            if not is_broken(lent.raw):
                return lent
            lent.held.invalidate()
        return None

    def _popped(self) -> Lent | None:
        try:
            return self._idle.pop()
        except IndexError:  # another thread may take the last one at any time
            return None

    def _opened(self) -> Lent:
        held = self._engine.raw_connection()
        return Lent(held, cast("DBAPIConnection", held.driver_connection))
