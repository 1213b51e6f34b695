"""Which stage a worker's thread may take, and when it looks again.

Heavy work may fill all slots of a process but one: that one takes light stages only,
so that a light job never waits for a heavy one to end. Tokens do not say what they
were posted for, so the light slot spends tokens of heavy stages, too. Whoever may
take heavy stages therefore looks again when one has ended, or when the light slot
came back empty-handed.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Final

from pixtools.domain.errors import Unavailable
from pixtools.domain.job import Lane, Stage
from pixtools.queue.config import WorkerConfig
from pixtools.queue.meters import WorkerMeters

log = logging.getLogger(__name__)
LONGEST_HOLD: Final = 600.0
"""Seconds after which a token is let go of: RabbitMQ takes it back after 1800."""


class Found(Enum):
    """Which kind of stage was run."""

    LIGHT = "light"
    HEAVY = "heavy"


RunNext = Callable[[str, bool], Stage | None]


class Slots:
    """The threads of one process, as seen by the tokens that wake them.

    `run_next(owner, light_only)` claims and runs the next stage and returns it, or
    None if there was none; `is_heavy` says of which kind it was.
    """

    def __init__(
        self,
        config: WorkerConfig,
        run_next: RunNext,
        is_heavy: Callable[[Stage], bool],
        meters: WorkerMeters,
    ) -> None:
        self._config = config
        self._run_next = run_next
        self._is_heavy = is_heavy
        self._meters = meters
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._free = deque(range(config.concurrency))
        self._heavy_left = heavy_share(config.concurrency, config.lanes)
        self._missed = False

    def serve(self, lane: str, task: str) -> None:
        """Spend one token: run what is next, if there is anything. Never raises."""
        with self._slot() as owner, self._meters.active.labels(lane).track_inprogress():
            if not self._took_share():
                if self._looked(owner, task, light_only=True):
                    return
                self._missed = True
                if not self._took_share():
                    return
            self._work_on(owner, task)

    def stop(self) -> None:
        """Begin nothing any more."""
        self._stopping.set()

    @contextmanager
    def _slot(self) -> Iterator[str]:
        """The name of a free slot; there is one for each thread."""
        number = self._free.popleft()
        try:
            yield f"{self._config.owner}/{number}"
        finally:
            self._free.append(number)

    def _took_share(self) -> bool:
        """Whether one more slot may take heavy stages: then this one does."""
        with self._lock:
            took = self._heavy_left > 0
            self._heavy_left -= took
            return took

    def _work_on(self, owner: str, task: str) -> None:
        """Look until nothing is left behind; the share is taken, and given back.

        First given back, then asked whether the light slot came back empty-handed,
        which does it the other way round: one of both sees that there is more.
        """
        let_go_at = time.monotonic() + LONGEST_HOLD
        again = True
        while again:
            self._missed = False
            found = self._looked(owner, task, light_only=False)
            in_time = time.monotonic() < let_go_at
            if found is Found.HEAVY and in_time:
                continue
            with self._lock:
                self._heavy_left += 1
            again = self._missed and in_time and self._took_share()

    def _looked(self, owner: str, task: str, *, light_only: bool) -> Found | None:
        """Run the next stage; which kind it was, None if there was none."""
        if self._stopping.is_set():
            return None
        began = time.monotonic()
        try:
            stage = self._run_next(owner, light_only)
            if stage is None:
                return None
            self._note(stage, time.monotonic() - began)
            return Found.HEAVY if self._is_heavy(stage) else Found.LIGHT
        except Unavailable as error:
            log.warning("token_spent_in_vain", extra={"reason": error.detail})
        except Exception:
            # Its stage is settled: the token would only bring the same again.
            log.exception("stage_crashed")
            self._meters.failures.labels(task).inc()
        self._stopping.wait(self._config.pause_after_trouble)
        return None

    def _note(self, stage: Stage, seconds: float) -> None:
        self._meters.took.labels(stage.lane).observe(seconds)
        if stage.attempt > 1:
            self._meters.retries.labels(f"pixtools.{stage.kind}").inc()
        elif stage.started_at:
            waited = (stage.started_at - stage.run_at).total_seconds()
            self._meters.waited.labels(stage.lane).observe(max(0.0, waited))


def heavy_share(concurrency: int, lanes: tuple[Lane, ...]) -> int:
    """How many slots may run heavy stages at once.

    All but one; but a lone slot takes everything, and so do those of a process that
    serves the heavy lane only.
    """
    mixed = concurrency > 1 and "default_queue" in lanes
    return concurrency - 1 if mixed else concurrency
