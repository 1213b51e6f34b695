"""Which idempotent requests this process is answering right now."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pixtools.domain.errors import IdempotencyInFlight


class Flights:
    """Keys in use, by tenant; forgotten with the process, as its requests are.

    The unique row in the job's transaction is the truth. This only lets a second
    request hear at once that the first is still being answered.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: set[tuple[str, str]] = set()

    def take_off(self, tenant: str, key: str) -> None:
        """Note a key; raises IdempotencyInFlight while another request holds it."""
        with self._lock:
            if (tenant, key) in self._keys:
                raise IdempotencyInFlight
            self._keys.add((tenant, key))

    def land(self, tenant: str, key: str) -> None:
        """Let go of a key; harmless if it is not held."""
        with self._lock:
            self._keys.discard((tenant, key))

    @contextmanager
    def during(self, tenant: str, key: str | None) -> Iterator[None]:
        """Hold a key for a block; None holds nothing."""
        if key is None:
            yield
            return
        self.take_off(tenant, key)
        try:
            yield
        finally:
            self.land(tenant, key)
