"""What the HTTP face needs of the world beside the verbs; wiring provides it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol


class Subscription(Protocol):
    """Waits for news of one job or batch."""

    async def wait(self, seconds: float, /) -> bool:
        """Whether there was news since the last call, within this time.

        News that came between two calls is not lost: the next call returns at once.
        Also returns when the desk closes.
        """
        ...


class NewsDesk(Protocol):
    """Where `Bell.news` arrives, from any thread, and streams wait for it."""

    @property
    def closed(self) -> bool:
        """Whether the server is stopping: streams end, clients come back later."""
        ...

    def close(self) -> None:
        """Say that the server is stopping; whoever waits is woken."""
        ...

    def subscribe(self, subject: str, /) -> AbstractContextManager[Subscription]:
        """Listen for news of a job or batch id, on the running event loop."""
        ...


Probe = Callable[[], object]
"""Checks one dependency: raises, or returns False, when it can't be reached."""
