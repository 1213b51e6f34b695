"""What is the matter with the database, for those who run it.

Clients are told only that it does not answer; why, is in the server's own words, and
those are for the log.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

log = logging.getLogger(__name__)
AGAIN_AFTER: Final = 60.0
"""Seconds until the same reason is said once more."""
MOST_REASONS: Final = 100


class Trouble:
    """Says each reason once a minute, however many transactions it is in the way of."""

    def __init__(self) -> None:
        self._said: dict[str, float] = {}
        self._alone = threading.Lock()
        self._silent = False

    @contextmanager
    def in_silence(self) -> Iterator[None]:
        """Say nothing for a block; for the time when nobody else uses the database."""
        self._silent = True
        try:
            yield
        finally:
            self._silent = False

    def note(self, error: BaseException) -> None:
        """Say why a transaction came to nothing; a driver's error names no values."""
        reason = str(error).partition("\n")[0] or type(error).__name__
        if not self._silent and self._is_due(reason):
            log.warning("database_trouble", extra={"reason": reason})

    def _is_due(self, reason: str) -> bool:
        now = time.monotonic()
        with self._alone:
            if now < self._said.get(reason, 0.0):
                return False
            if len(self._said) >= MOST_REASONS:
                self._said.clear()
            self._said[reason] = now + AGAIN_AFTER
        return True
