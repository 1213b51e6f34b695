"""The in-memory twin of Database: transactions over dictionaries of values.

A write works on a copy of all dictionaries and puts it in the place of the old one
when it ends well; a read keeps the dictionaries that were current when it began.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy

from pixtools.domain.errors import DatabaseUnavailable
from pixtools.testing.memory_facts import (
    MemoryBatches,
    MemoryHistory,
    MemoryIdempotency,
    MemoryJobs,
    State,
)
from pixtools.testing.memory_keys import MemoryKeys
from pixtools.testing.memory_stages import MemoryOutbox, MemoryQueues, MemoryStages
from pixtools.testing.memory_usage import MemoryUsages
from pixtools.testing.memory_webhooks import (
    MemoryAttempts,
    MemoryCircuits,
    MemoryDeliveries,
    MemorySandboxes,
    MemorySecrets,
)


class MemoryTransaction:
    """One transaction over one state."""

    def __init__(self, state: State) -> None:
        self.jobs = MemoryJobs(state)
        self.stages = MemoryStages(state)
        self.queues = MemoryQueues(state)
        self.outbox = MemoryOutbox(state)
        self.idempotency = MemoryIdempotency(state)
        self.batches = MemoryBatches(state)
        self.history = MemoryHistory(state)
        self.keys = MemoryKeys(state)
        self.usage = MemoryUsages(state)
        self.deliveries = MemoryDeliveries(state)
        self.attempts = MemoryAttempts(state)
        self.circuits = MemoryCircuits(state)
        self.secrets = MemorySecrets(state)
        self.sandboxes = MemorySandboxes(state)


class MemoryDatabase:
    """Facts in memory. Set `away` and everything raises DatabaseUnavailable."""

    one_writer = True

    def __init__(self) -> None:
        self.away = False
        self.writes = 0
        self._state = State()
        self._turn = threading.Lock()

    @contextmanager
    def write(self) -> Iterator[MemoryTransaction]:
        """Change things, one writer at a time."""
        self.check()
        with self._turn:
            state = copy(self._state)
            state.part()
            yield MemoryTransaction(state)
            self.check()
            self._state = state
            self.writes += 1

    @contextmanager
    def read(self) -> Iterator[MemoryTransaction]:
        """See one moment."""
        self.check()
        yield MemoryTransaction(self._state)

    def check(self) -> None:
        """Raise DatabaseUnavailable if it was sent away."""
        if self.away:
            raise DatabaseUnavailable

    def close(self) -> None:
        """Nothing is held."""
