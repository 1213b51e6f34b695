"""Work that a stopping process can't finish is given back."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixtools.domain.errors import Canceled, Interrupted
from pixtools.domain.limits import Limits
from pixtools.domain.plan import RenderPlan
from pixtools.domain.report import Report
from pixtools.jobs.ports.work import Checkpoint, Renderer
from pixtools.queue.giving_back import GivingBack

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
