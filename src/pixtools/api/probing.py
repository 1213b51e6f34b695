"""Asking dependencies whether they answer, without ever waiting for one that hangs.

Each dependency has at most one probe under way, in a thread of its own, and what it
found is believed for a moment. So a storm of health checks costs a dependency one
question a second, and one that hangs takes one thread and no request's place. The log
says once that one is away, and why, and once that it is back.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Mapping
from concurrent.futures import Future
from contextlib import suppress
from threading import Thread
from typing import Final

from pixtools.api.ports import Probe
from pixtools.domain.errors import PixtoolsError

log = logging.getLogger(__name__)
REMEMBERED: Final = 10.0
"""Seconds after which it counts for nothing that a dependency was away."""

REST: Final = 60.0
"""Seconds in which one that comes and goes is said to be away once."""


class Watch:
    """What is known of each dependency. Times are in seconds."""

    def __init__(
        self, probes: Mapping[str, Probe], *, timeout: float, freshness: float
    ) -> None:
        self._watched = {
            name: _Watched(name, probe, timeout, freshness)
            for name, probe in probes.items()
        }

    @property
    def names(self) -> Collection[str]:
        """Every dependency that is asked."""
        return self._watched.keys()

    async def ask(self, names: Collection[str]) -> dict[str, bool]:
        """Which of these can be reached; answers within the time-out."""
        asked = [name for name in self._watched if name in names]
        found = await asyncio.gather(*(self._watched[name].ask() for name in asked))
        return dict(zip(asked, found, strict=True))

    async def away(self, names: Collection[str]) -> bool:
        """Whether one of these could not be reached at the last look; knows soon.

        The next look is begun beside whoever asks. Nobody waits for it, unless the
        last one failed so long ago that it says nothing.
        """
        asked = [name for name in self._watched if name in names]
        return not all([await self._watched[name].answered() for name in asked])


class _Watched:
    """One dependency."""

    def __init__(
        self, name: str, probe: Probe, timeout: float, freshness: float
    ) -> None:
        self._name = name
        self._probe = probe
        self._timeout = timeout
        self._freshness = freshness
        self._begun_at = self._ended_at = 0.0
        self._look: Future[bool] | None = None
        self._was_reached = True
        self._is_said_away = False
        self._said_again_at = time.monotonic()

    async def answered(self) -> bool:
        look = self._fresh()
        if look.done():
            return look.result()
        now = time.monotonic()
        if self._was_reached:
            return now - self._begun_at < self._timeout
        return now - self._ended_at >= REMEMBERED and await self.ask()

    async def ask(self) -> bool:
        look = self._fresh()
        if look.done():
            return look.result()
        # One that has hung for long is not waited for again by each who asks.
        patience = max(0.0, self._begun_at + self._timeout - time.monotonic())
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                return await asyncio.wrap_future(look)
        return False

    def _fresh(self) -> Future[bool]:
        """The look that is under way or was just over; else a new one."""
        look = self._look
        age = time.monotonic() - self._ended_at
        if look is None or (look.done() and age >= self._freshness):
            look = self._look = self._begun()
        return look

    def _begun(self) -> Future[bool]:
        look: Future[bool] = Future()
        # From now on nobody who stops waiting can cancel it for the others.
        look.set_running_or_notify_cancel()
        self._begun_at = time.monotonic()
        # A daemon: a probe that hangs must not hold up the end of the process.
        name = f"probe-{self._name}"
        Thread(target=self._run, args=(look,), name=name, daemon=True).start()
        return look

    def _run(self, look: Future[bool]) -> None:
        why = "its probe says so"
        try:
            reached = self._probe() is not False
        except Exception as error:  # noqa: BLE001 - whatever it is, it did not get there
            reached = False
            why = _words(error)
        self._say(reached, why)
        self._ended_at = time.monotonic()
        self._was_reached = reached
        look.set_result(reached)

    def _say(self, reached: bool, why: str) -> None:
        about = {"dependency": self._name}
        if reached and self._is_said_away:
            self._is_said_away = False
            log.info("dependency_back", extra=about)
        if reached or self._is_said_away or time.monotonic() < self._said_again_at:
            return
        self._is_said_away = True
        self._said_again_at = time.monotonic() + REST
        log.warning("dependency_away", extra={**about, "reason": why})


def _words(error: Exception) -> str:
    said = error.detail if isinstance(error, PixtoolsError) else str(error)
    return said or type(error).__name__
