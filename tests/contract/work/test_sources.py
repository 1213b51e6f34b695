"""Whoever fetches sources, over a network or in a test, keeps the same promises."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from pixtools.jobs.ports.sources import Fetcher
from pixtools.net.config import GuardConfig
from pixtools.net.guard import Guard
from pixtools.testing.memory_sources import PaperFetcher
from pixtools.testing.port_suites.sources import PHOTO, FetcherSuite
from pixtools.testing.stranger import ALLOWED, Stranger, ok, saying
from pixtools.wiring.net import Sources


@pytest.fixture(scope="module")
def stranger() -> Iterator[Stranger]:
    with Stranger(saying(ok(PHOTO, content_type="image/gif"))) as server:
        yield server


class TestOverANetwork(FetcherSuite):
    @pytest.fixture
    def fetcher(self, stranger: Stranger) -> Fetcher:
        return Sources(Guard(GuardConfig(networks=(ALLOWED,)), stranger.known))

    @pytest.fixture
    def there(self, stranger: Stranger) -> str:
        return stranger.url("/holiday/cat.gif")

    @pytest.fixture
    def gone(self) -> str:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            return f"http://127.0.0.1:{closed.getsockname()[1]}/"

    @pytest.fixture
    def inside(self) -> str:
        return "http://10.0.0.1/cat.gif"


class TestInATest(FetcherSuite):
    @pytest.fixture
    def fetcher(self, there: str, inside: str) -> Fetcher:
        paper = PaperFetcher()
        paper.photos = {there: PHOTO, inside: PHOTO}
        paper.inside = {inside}
        return paper

    @pytest.fixture
    def there(self) -> str:
        return "https://photos.example/cat.gif"

    @pytest.fixture
    def gone(self) -> str:
        return "https://gone.example/"

    @pytest.fixture
    def inside(self) -> str:
        return "https://inside.example/"
