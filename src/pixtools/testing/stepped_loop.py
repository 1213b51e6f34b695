"""An event loop for stories of minutes that are told at once."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def at_once(story: Coroutine[Any, Any, T]) -> T:
    """Run a story without threads or sockets; no time passes but in its own clock.

    However slow the machine is, the story's timers go off in their order and at
    exactly their times.
    """
    with asyncio.Runner(loop_factory=_SteppedLoop) as runner:
        return runner.run(story)


class _Steps(selectors.DefaultSelector):
    """Waits for nothing: it steps over the time in which nothing is ready."""

    now = 0.0

    def select(
        self, timeout: float | None = None
    ) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready now; else the time has passed."""
        if timeout is None:
            raise RuntimeError("Everybody waits, and nothing will ever happen.")
        ready = super().select(0)
        if not ready:
            self.now += max(0.0, timeout)
        return ready


class _SteppedLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._steps = _Steps()
        super().__init__(self._steps)

    def time(self) -> float:
        """Seconds since the story began."""
        return self._steps.now
