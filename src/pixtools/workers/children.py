"""The pixel children of one pool: lent out one by one, kept warm, replaced."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from pixtools.domain.errors import WorkerLost
from pixtools.workers.config import WorkersConfig
from pixtools.workers.process import PixelProcess
from pixtools.workers.protocol import Capabilities
from pixtools.workers.pulse import BEAT_SECONDS, Checkpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildFacts:
    """One living child, for whoever watches: `jobs` counts those it was given."""

    pid: int
    busy: bool
    jobs: int
    rss_bytes: int


class Children:
    """Processes of which `config.count` work at once, each for one caller at a time.

    Heavy work has children of its own, who yield to the others for good. So that
    both kinds are at hand when work changes, one more than `count` may live.
    """

    def __init__(self, config: WorkersConfig) -> None:
        """Start nothing yet."""
        self._config = config
        self._changed = threading.Condition()
        self._idle: list[tuple[float, PixelProcess]] = []
        self._busy: set[PixelProcess] = set()
        self._starting = 0
        self._closed = False
        self._capabilities: Capabilities | None = None
        self._failing = False
        self._retirement: threading.Timer | None = None
        # The kernel ends a child with the thread that started it (PR_SET_PDEATHSIG),
        # so all are started by one thread that lives as long as the pool.
        self._nursery = ThreadPoolExecutor(
            1, thread_name_prefix="pixtools-nursery", initializer=_deaf_to_the_terminal
        )

    @contextmanager
    def lend(
        self, checkpoint: Checkpoint, *, heavy: bool = False
    ) -> Iterator[PixelProcess]:
        """Lend a child, the one that was busy last; wait while enough are busy.

        Calls `checkpoint(0.0)` at least twice a second while it waits. Raises
        WorkerLost if no child can be started, and what `checkpoint` raised.
        """
        child = self._take(checkpoint, heavy)
        try:
            yield child
        finally:
            self._take_back(child)

    def capabilities(self) -> Capabilities:
        """What the children can do, as the first one said; starts it if need be."""
        while self._capabilities is None:
            with self.lend(_carry_on):
                pass
        return self._capabilities

    def warm(self) -> None:
        """Start a child for heavy work, network and all. Raises WorkerLost."""
        with self.lend(_carry_on, heavy=True):
            pass

    @property
    def sound(self) -> bool:
        """Whether there can be children: none failed to start since one started."""
        return not (self._closed or self._failing)

    def facts(self) -> tuple[ChildFacts, ...]:
        """Who lives now."""
        with self._changed:
            known = [(child, False) for _, child in self._idle]
            known += [(child, True) for child in self._busy]
        return tuple(
            ChildFacts(
                pid=child.pid, busy=busy, jobs=child.jobs, rss_bytes=child.rss_bytes()
            )
            for child, busy in known
            if child.alive()
        )

    def close(self) -> None:
        """End them all; whoever still has one gets WorkerLost. Harmless twice."""
        with self._changed:
            self._closed = True
            idle, self._idle = self._idle, []
            for child in self._busy:
                child.end()
            if self._retirement is not None:
                self._retirement.cancel()
            self._changed.notify_all()
        for _, child in idle:
            child.close()
        with self._changed:
            self._changed.wait_for(lambda: not self._busy and not self._starting)
        self._nursery.shutdown()

    def _take(self, checkpoint: Checkpoint, heavy: bool) -> PixelProcess:
        while True:
            leaving = list[PixelProcess]()
            with self._changed:
                self._refuse_if_closed()
                room = len(self._busy) + self._starting < self._config.count
                child = self._idle_child(heavy) if room else None
                if child is not None:
                    return child
                if room:
                    self._starting += 1
                    leaving = self._in_the_way()
                else:
                    self._changed.wait(BEAT_SECONDS)
            if room:
                for other in leaving:
                    other.close()
                return self._start(checkpoint, heavy)
            checkpoint(0.0)

    def _idle_child(self, heavy: bool) -> PixelProcess | None:
        """Take the child that was busy last; bury those that died meanwhile."""
        for resting in reversed(self._idle):
            child = resting[1]
            if child.heavy is not heavy:
                continue
            self._idle.remove(resting)
            if child.alive():
                self._busy.add(child)
                return child
            child.kill()
        return None

    def _in_the_way(self) -> list[PixelProcess]:
        """Take those out that would be too many beside the one that starts."""
        living = len(self._idle) + len(self._busy) + self._starting
        surplus = max(0, living - self._config.count - 1)
        leaving, self._idle = self._idle[:surplus], self._idle[surplus:]
        return [child for _, child in leaving]

    def _start(self, checkpoint: Checkpoint, heavy: bool) -> PixelProcess:
        """Start one more, in the place that was reserved for it."""
        child, born = None, partial(PixelProcess, self._config, heavy=heavy)
        try:
            child = self._nursery.submit(born).result()
            self._capabilities = child.greet(checkpoint)
            self._failing = False
        except WorkerLost:
            self._failing = True
            raise
        except OSError as error:
            self._failing = True
            raise WorkerLost(f"No worker process could be started: {error}") from error
        finally:
            with self._changed:
                self._starting -= 1
                if child is not None and self._closed:
                    child.kill()
                elif child is not None and child.alive():
                    self._busy.add(child)
                self._changed.notify_all()
                self._refuse_if_closed()
        return child

    def _take_back(self, child: PixelProcess) -> None:
        """Keep a child for the next job, or end it if it is dead, large or old."""
        fit = child.alive() and not self._outworn(child)
        with self._changed:
            keep = fit and not self._closed
            if keep:
                self._busy.remove(child)
                self._idle.append((time.monotonic(), child))
                self._retire_later()
                self._changed.notify_all()
        if not keep:
            child.close()
            with self._changed:
                self._busy.remove(child)
                self._changed.notify_all()

    def _outworn(self, child: PixelProcess) -> bool:
        config = self._config
        most = config.recycle_rss_bytes
        if child.denoised:
            most = max(most, config.recycle_network_rss_bytes)
        return child.jobs >= config.recycle_jobs or child.rss_bytes() > most

    def _retire_later(self) -> None:
        """See to it that children without work don't stay for ever."""
        rests = self._spare(heavy=True) > 0 or self._spare() > 0
        if rests and self._retirement is None:
            timer = threading.Timer(self._config.idle_seconds, self._retire)
            timer.daemon = True
            timer.name = "pixtools-retirement"
            self._retirement = timer
            timer.start()

    def _retire(self) -> None:
        """End those that have been idle for long, except the ones that are kept."""
        with self._changed:
            self._retirement = None
            if self._closed:
                return
            leaving = self._unneeded(time.monotonic() - self._config.idle_seconds)
            if self._idle:
                self._retire_later()
        for child in leaving:
            child.close()

    def _unneeded(self, since: float) -> list[PixelProcess]:
        """Take those out that have been idle since then and are not kept."""
        spare = {heavy: self._spare(heavy=heavy) for heavy in (False, True)}
        leaving = list[PixelProcess]()
        for resting in [one for one in self._idle if one[0] <= since]:
            child = resting[1]
            if spare[child.heavy] > 0:
                self._idle.remove(resting)
                leaving.append(child)
                spare[child.heavy] -= 1
        return leaving

    def _spare(self, *, heavy: bool = False) -> int:
        """How many do work of this kind beside those that are kept."""
        living = (*(child for _, child in self._idle), *self._busy)
        kept = self._config.kept_heavy if heavy else self._config.kept
        return sum(child.heavy is heavy for child in living) - kept

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise WorkerLost("The worker processes are shutting down.")


def _deaf_to_the_terminal() -> None:
    """Let children be born deaf to Ctrl-C: it may come before they can ignore it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})


def _carry_on(_: float) -> None:
    """A checkpoint that nothing stops."""
