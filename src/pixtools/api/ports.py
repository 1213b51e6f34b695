"""What the HTTP face needs of the world beside the verbs; wiring provides it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from pixtools.domain.identity import Identity


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


class RateGrant(Protocol):
    """Whether one more request is within its client's quota."""

    @property
    def allowed(self) -> bool:
        """Whether it may go on."""
        ...

    @property
    def remaining(self) -> int:
        """How many more may follow at once."""
        ...

    @property
    def wait(self) -> float:
        """Seconds until there is one more."""
        ...

    @property
    def counted(self) -> bool:
        """False where nobody could count: then it is allowed."""
        ...


class RateLimiter(Protocol):
    """A bucket of requests for each client and route; never raises or waits long."""

    @property
    def capacity(self) -> int:
        """How many a full bucket holds."""
        ...

    @property
    def window(self) -> float:
        """Seconds in which an empty bucket fills."""
        ...

    async def take(self, who: str, route: str, /) -> RateGrant:
        """Take one out of a client's bucket for a route."""
        ...

    async def close(self) -> None:
        """Let go of what is open."""
        ...


class Gate(Protocol):
    """Knows who asks by what they bring; what is `text` here is never kept."""

    @property
    def closed(self) -> bool | None:
        """Whether callers have to be known; None where `look` has to find out."""
        ...

    def look(self) -> bool:
        """Whether callers have to be known; may block, raises DatabaseUnavailable."""
        ...

    def recall(self, text: str, /, *, cookie: bool = False) -> Identity | None:
        """Whose credential this is, if that was found out just now."""
        ...

    def trusts(self, text: str, /) -> bool:
        """Whether this key or token was good some minutes ago."""
        ...

    def identify(self, text: str, /, *, cookie: bool = False) -> Identity:
        """Whose credential this is; may block.

        Raises CredentialsInvalid, DatabaseUnavailable, IssuerUnavailable.
        """
        ...

    def sign_in(self, text: str, /) -> tuple[Identity, str, int]:
        """Let a browser in with a key: who it is, its cookie, its life in seconds.

        May block; raises CredentialsInvalid, DatabaseUnavailable.
        """
        ...


Probe = Callable[[], object]
"""Checks one dependency: raises, or returns False, when it can't be reached."""
