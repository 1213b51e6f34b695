"""The in-memory twins keep the promises of the ports."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from pixtools.storage.noted import NotedBlobs, Watch
from pixtools.testing.http_answer import Perform
from pixtools.testing.memory_blobs import MemoryBlobs, MemoryLinks
from pixtools.testing.port_suites.blobs import BlobsSuite
from pixtools.testing.port_suites.links import LinksSuite
from pixtools.testing.port_suites.taking import TakingSuite


class HandClock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.time = datetime(2026, 7, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


@pytest.fixture
def blobs() -> MemoryBlobs:
    return MemoryBlobs()


class TestMemoryBlobs(BlobsSuite, TakingSuite):
    """Blobs in a dictionary."""


class TestNotedBlobs(BlobsSuite, TakingSuite):
    """Blobs that are watched keep what those below them promise."""

    @pytest.fixture
    def blobs(self) -> NotedBlobs:
        return NotedBlobs(MemoryBlobs(), Watch())


class TestMemoryLinks(LinksSuite):
    """Links that are served without a server."""

    @pytest.fixture
    def clock(self) -> HandClock:
        return HandClock()

    @pytest.fixture
    def links(self, blobs: MemoryBlobs, clock: HandClock) -> MemoryLinks:
        return MemoryLinks(blobs, clock)

    @pytest.fixture
    def perform(self, links: MemoryLinks) -> Perform:
        return links.request

    @pytest.fixture
    def let_expire(self, clock: HandClock) -> Callable[[], None]:
        def lapse() -> None:
            clock.time += timedelta(days=8)

        return lapse
