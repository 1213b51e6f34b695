"""Clocks, ids, bells and renderers, real ones and twins, keep the same promises."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pixtools.jobs.ports.work import Bell, Clock, Ids, Renderer
from pixtools.queue.bell import HouseBell
from pixtools.testing.clock import CountedIds, HandClock
from pixtools.testing.house import tiny_gif
from pixtools.testing.images import photo_jpeg
from pixtools.testing.memory_work import NO_IMAGE, PaperRenderer, RecordingBell
from pixtools.testing.port_suites.work import (
    BellSuite,
    ClockSuite,
    IdsSuite,
    RendererSuite,
)
from pixtools.wiring.machine import RandomIds, SystemClock
from pixtools.workers.config import WorkersConfig
from pixtools.workers.pool import ProcessRenderer


class TestClocks(ClockSuite):
    @pytest.fixture(params=[SystemClock, HandClock])
    def clock(self, request: pytest.FixtureRequest) -> Clock:
        made: Clock = request.param()
        return made


class TestIds(IdsSuite):
    @pytest.fixture(params=[RandomIds(), CountedIds(HandClock())])
    def ids(self, request: pytest.FixtureRequest) -> Ids:
        made: Ids = request.param
        return made


class TestBells(BellSuite):
    @pytest.fixture(params=[HouseBell, RecordingBell])
    def bell(self, request: pytest.FixtureRequest) -> Bell:
        made: Bell = request.param()
        return made


class TestPaperRenderer(RendererSuite):
    @pytest.fixture
    def renderer(self) -> Renderer:
        return PaperRenderer()

    @pytest.fixture
    def good(self, tmp_path: Path) -> Path:
        path = tmp_path / "good.gif"
        path.write_bytes(tiny_gif())
        return path

    @pytest.fixture
    def bad(self, tmp_path: Path) -> Path:
        path = tmp_path / "bad.gif"
        path.write_bytes(NO_IMAGE)
        return path


@pytest.fixture(scope="module")
def children() -> Iterator[ProcessRenderer]:
    with ProcessRenderer(WorkersConfig(count=1)) as renderer:
        yield renderer


class TestProcessRenderer(RendererSuite):
    @pytest.fixture
    def renderer(self, children: ProcessRenderer) -> Renderer:
        return children

    @pytest.fixture
    def good(self, tmp_path: Path) -> Path:
        return photo_jpeg(tmp_path / "good.jpg", 320, 240)

    @pytest.fixture
    def bad(self, tmp_path: Path) -> Path:
        path = photo_jpeg(tmp_path / "bad.jpg", 320, 240)
        path.write_bytes(path.read_bytes()[:2000])
        return path
