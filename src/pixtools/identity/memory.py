"""What was found out a moment ago, so that not every request asks the database."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from pixtools.domain.identity import Identity

MOST: Final = 2048
TRUSTED_FOR: Final = 600.0
"""Seconds for which a credential that was good is asked for even where others fail."""


class Recent:
    """Credentials that were good lately; only digests of them are held."""

    def __init__(
        self, freshness: float, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._freshness = freshness
        self._now = now
        self._turn = threading.Lock()
        self._found: OrderedDict[bytes, tuple[Identity, float]] = OrderedDict()

    def keep(self, text: str, identity: Identity) -> None:
        """Remember that it is good."""
        with self._turn:
            self._found[_mark(text)] = (identity, self._now())
            self._found.move_to_end(_mark(text))
            while len(self._found) > MOST:
                self._found.popitem(last=False)

    def forget(self, text: str) -> None:
        """Remember it no longer."""
        with self._turn:
            self._found.pop(_mark(text), None)

    def fresh(self, text: str) -> Identity | None:
        """Whose it is, if that was found out just now."""
        identity, at = self._found.get(_mark(text), (None, 0.0))
        return identity if self._now() - at < self._freshness else None

    def trusted(self, text: str) -> bool:
        """Whether it was good some minutes ago."""
        _, at = self._found.get(_mark(text), (None, -TRUSTED_FOR))
        return self._now() - at < TRUSTED_FOR


def _mark(text: str) -> bytes:
    return hashlib.blake2b(
        text.encode("utf-8", "surrogatepass"), digest_size=16
    ).digest()
