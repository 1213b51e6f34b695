"""Work that a stopping process can't finish is given back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pixtools.domain.errors import Canceled, Interrupted, UnsafeDestination
from pixtools.domain.limits import Limits
from pixtools.domain.plan import RenderPlan
from pixtools.domain.report import Report
from pixtools.jobs.ports.sources import Fetcher
from pixtools.jobs.ports.work import Checkpoint, Renderer
from pixtools.queue.giving_back import GivingBack, GivingBackFetcher
from pixtools.testing.memory_sources import PIECE, PaperFetcher

PLAN = RenderPlan(outputs=(), metadata=False)


class Steps:
    """A renderer that calls its checkpoint four times, and no more if it raises."""

    def __init__(self) -> None:
        self.done: list[float] = []

    def render(self, *_: object, checkpoint: Checkpoint, **__: object) -> Report:
        for fraction in (0.25, 0.5, 0.75, 1.0):
            checkpoint(fraction)
            self.done.append(fraction)
        raise NotImplementedError


class Stopping:
    """For how long the process has been stopping: one more second at each look."""

    def __init__(self, since: float) -> None:
        self.seconds = since

    def __call__(self) -> float:
        self.seconds += 1
        return self.seconds


def render(renderer: Renderer, checkpoint: Checkpoint) -> None:
    renderer.render(
        Path("photo"),
        PLAN,
        Path("scratch"),
        assets={},
        limits=Limits(),
        checkpoint=checkpoint,
        timeout=9,
    )


def test_work_goes_on_while_the_process_does() -> None:
    steps, told = Steps(), list[float]()
    with pytest.raises(NotImplementedError):
        render(GivingBack(steps, lambda: 0.0, 3), told.append)
    assert told == steps.done == [0.25, 0.5, 0.75, 1.0]


def test_it_has_some_seconds_to_end_and_is_broken_off_then() -> None:
    steps, told = Steps(), list[float]()
    with pytest.raises(Interrupted) as stopped:
        render(GivingBack(steps, Stopping(since=1), 3), told.append)
    assert type(stopped.value) is Interrupted
    assert told == [0.25, 0.5]


def test_a_cancel_is_heard_before_that() -> None:
    def canceled(fraction: float) -> None:
        raise Canceled

    with pytest.raises(Canceled):
        render(GivingBack(Steps(), Stopping(since=0), 3), canceled)


class TestAPhotoOnItsWay:
    """A stranger who is slow holds no process up."""

    URL = "https://photos.example/cat.gif"
    PHOTO = bytes(4 * PIECE)

    @pytest.fixture
    def there(self) -> PaperFetcher:
        paper = PaperFetcher()
        paper.photos[self.URL] = self.PHOTO
        paper.inside.add("https://inside.example/")
        return paper

    def fetched(self, fetcher: Fetcher, beat: Callable[[], None]) -> bytes:
        came = bytearray()
        fetcher.fetch(self.URL, came.extend, limit=10**6, timeout=9, beat=beat)
        return bytes(came)

    def test_comes_while_the_process_goes_on(self, there: PaperFetcher) -> None:
        beats = list[None]()
        fetcher = GivingBackFetcher(there, lambda: 0.0, 3)
        assert self.fetched(fetcher, lambda: beats.append(None)) == self.PHOTO
        assert len(beats) == 4
        with pytest.raises(UnsafeDestination):
            fetcher.check("https://inside.example/", 5)

    def test_is_broken_off_when_there_is_no_time_left(
        self, there: PaperFetcher
    ) -> None:
        with pytest.raises(Interrupted):
            self.fetched(GivingBackFetcher(there, Stopping(since=1), 3), lambda: None)
