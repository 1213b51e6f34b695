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
from typing import Final

from pixtools.domain.errors import Unavailable
from pixtools.domain.job import Lane, Stage
from pixtools.queue.config import WorkerConfig
from pixtools.queue.meters import WorkerMeters

log = logging.getLogger(__name__)
LONGEST_HOLD: Final = 600.0
"""Seconds after which a token is let go of: RabbitMQ takes it back after 1800."""

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
            if self._takes_heavy():
                self._work_on(owner, task)
            elif not self._looked(owner, task, light_only=True):
                self._missed = True

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

    def _takes_heavy(self) -> bool:
        with self._lock:
            self._heavy_left -= 1
            if self._heavy_left >= 0:
                return True
            self._heavy_left += 1
            return False

    def _work_on(self, owner: str, task: str) -> None:
        """Look until nothing was left behind by the light slot."""
        let_go_at = time.monotonic() + LONGEST_HOLD
        try:
            again = True
            while again and time.monotonic() < let_go_at:
                self._missed = False
                stage = self._looked(owner, task, light_only=False)
                again = stage is not None and (self._missed or self._is_heavy(stage))
        finally:
            with self._lock:
                self._heavy_left += 1

    def _looked(self, owner: str, task: str, *, light_only: bool) -> Stage | None:
        if self._stopping.is_set():
            return None
        began = time.monotonic()
        try:
            stage = self._run_next(owner, light_only)
        except Unavailable as error:
            log.warning("token_spent_in_vain", extra={"reason": error.detail})
        except Exception:
            # Its stage is settled: the token would only bring the same again.
            log.exception("stage_crashed")
            self._meters.failures.labels(task).inc()
        else:
            if stage is not None:
                self._note(stage, time.monotonic() - began)
            return stage
        self._stopping.wait(self._config.pause_after_trouble)
        return None

    def _note(self, stage: Stage, seconds: float) -> None:
        self._meters.took.labels(stage.lane).observe(seconds)
        if stage.started_at:
            waited = (stage.started_at - stage.run_at).total_seconds()
            self._meters.waited.labels(stage.lane).observe(max(0.0, waited))
        if stage.attempt > 1:
            self._meters.retries.labels(f"pixtools.{stage.kind}").inc()


def heavy_share(concurrency: int, lanes: tuple[Lane, ...]) -> int:
    """How many slots may run heavy stages at once.

    All but one; but a lone slot takes everything, and so do those of a process that
    serves the heavy lane only.
    """
    mixed = concurrency > 1 and "default_queue" in lanes
    return concurrency - 1 if mixed else concurrency
