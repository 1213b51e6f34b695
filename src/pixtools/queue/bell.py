"""An in-process bell: wakes runners, and those who wait for news of a job.

A ring that nobody hears is harmless: runners and streams look at the database
again after their backstop. So nothing here is durable, and nothing is counted.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pixtools.jobs.ports.work import Call


class Subscription:
    """One listener's view of one job: wait for news, again and again."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._news = asyncio.Event()

    async def wait(self, timeout: float) -> bool:  # noqa: ASYNC109 - a poll's own bound
        """True when news came within `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._news.wait()
        except TimeoutError:
            return False
        self._news.clear()
        return True

    def ring(self) -> None:
        """Wake the waiter; safe from any thread, also after its loop has gone."""
        try:
            self._loop.call_soon_threadsafe(self._news.set)
        except RuntimeError:
            return


class Ring:
    """Wakes threads that wait for it."""

    def __init__(self) -> None:
        self._rung = threading.Condition()
        self._rings = 0

    def work(self) -> None:
        """Wake every one; each looks whether there is something for it."""
        with self._rung:
            self._rings += 1
            self._rung.notify_all()

    @property
    def rings(self) -> int:
        """How often it rang: remember it, look for work, then wait."""
        return self._rings

    def wait_for_work(self, since: int, timeout: float) -> bool:
        """Wait for a ring after `since`; False after `timeout` seconds."""
        with self._rung:
            return self._rung.wait_for(lambda: self._rings != since, timeout)


class HouseBell:
    """The bell of a process in which API and runners live together."""

    def __init__(self) -> None:
        self._work = Ring()
        self.deliveries = Ring()
        """Rings for those who tell clients, and only if there is something to tell."""
        self._listeners: dict[str, set[Subscription]] = defaultdict(set)
        self._lock = threading.Lock()
        self._closed_at: float | None = None

    @property
    def closed(self) -> bool:
        """Whether the process is stopping: streams end, clients come back later."""
        return self._closed_at is not None

    @property
    def closed_for(self) -> float:
        """Seconds since the process began to stop; 0 while it goes on."""
        return 0.0 if self._closed_at is None else time.monotonic() - self._closed_at

    def close(self) -> None:
        """Say that the process is stopping, and wake everyone who waits."""
        if self._closed_at is None:
            self._closed_at = time.monotonic()
        with self._lock:
            listeners = [each for found in self._listeners.values() for each in found]
        for listener in listeners:
            listener.ring()
        self.work()

    def work(self, calls: Sequence[Call] = ("default_queue",)) -> None:
        """Wake every runner, or those who tell clients, or both."""
        if "deliveries" in calls:
            self.deliveries.work()
        if any(call != "deliveries" for call in calls):
            self._work.work()

    def news(self, job_id: str) -> None:
        """Wake whoever waits for this job or batch."""
        with self._lock:
            listeners = tuple(self._listeners.get(job_id, ()))
        for listener in listeners:
            listener.ring()

    @property
    def rings(self) -> int:
        """How often work was announced: remember it, look for work, then wait."""
        return self._work.rings

    def wait_for_work(self, since: int, timeout: float) -> bool:
        """Wait for work announced after `since`; False after `timeout` seconds."""
        return self._work.wait_for_work(since, timeout)

    @contextmanager
    def subscribe(self, job_id: str) -> Iterator[Subscription]:
        """Listen for news of a job; call it on the event loop that will wait."""
        listener = Subscription(asyncio.get_running_loop())
        with self._lock:
            self._listeners[job_id].add(listener)
        try:
            yield listener
        finally:
            self._leave(job_id, listener)

    def _leave(self, job_id: str, listener: Subscription) -> None:
        with self._lock:
            self._listeners[job_id].discard(listener)
            if not self._listeners[job_id]:
                del self._listeners[job_id]
