"""Strangers on loopback, and clients that may call them."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from pixtools.net.client import Client
from pixtools.net.config import GuardConfig
from pixtools.net.guard import Guard
from pixtools.testing.stranger import ALLOWED, Asked, Stranger, saying

Meet = Callable[..., tuple[Stranger, Client]]


@pytest.fixture
def meet() -> Iterator[Meet]:
    """A stranger who says these bytes (or does that), and a client that may call it."""
    with ExitStack() as all_of_them:

        def met(
            answer: bytes | Callable[[Asked, socket.socket], None],
        ) -> tuple[Stranger, Client]:
            how = saying(answer) if isinstance(answer, bytes) else answer
            stranger = all_of_them.enter_context(Stranger(how))
            config = GuardConfig(networks=(ALLOWED,))
            return stranger, Client(Guard(config, stranger.known))

        yield met
