"""`pixtools worker`: Celery brings tokens to threads, and threads run stages.

Celery runs in a thread of its own, so that the main thread is free to heed signals,
to keep the heartbeat file young and to end a process that would not end. Nothing here
decodes a pixel or forks.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from celery.app.trace import setup_worker_optimizations
from celery.worker import state

from pixtools.domain.errors import BrokerUnavailable
from pixtools.domain.job import Stage
from pixtools.queue import contracts
from pixtools.queue.asked import Asked
from pixtools.queue.celery_app import celery_app
from pixtools.queue.config import WorkerConfig
from pixtools.queue.consumer import Controller, Desk
from pixtools.queue.contracts import Contract
from pixtools.queue.heartbeat import beat
from pixtools.queue.meters import WorkerMeters, exposed
from pixtools.queue.slots import RunNext, Slots
from pixtools.queue.tasks import register

log = logging.getLogger(__name__)
HUNG: Final = 1


class Worker:
    """The runtime of one worker process; a process can run one, once.

    `run_next(owner, light_only)` claims and runs one stage and returns it, or None;
    `is_heavy` says of which kind it was; `alive` whether pixels can be made.
    """

    def __init__(
        self,
        config: WorkerConfig,
        run_next: RunNext,
        is_heavy: Callable[[Stage], bool],
        alive: Callable[[], bool],
        *,
        accepted: Sequence[Contract] = contracts.ACCEPTED,
    ) -> None:
        self._config = config
        self._alive = alive
        self._accepted = accepted
        self._asked = Asked()
        self._ended = threading.Event()
        self._stopped_at: float | None = None
        self.meters = WorkerMeters()
        self._slots = Slots(config, run_next, is_heavy, self.meters)
        self._desk = Desk(
            broker=config.broker,
            accepted=contracts.by_name(accepted),
            refused=lambda task: self.meters.failures.labels(task).inc(),
            ready=self._asked.say,
        )

    def run(self) -> None:
        """Work until SIGTERM or SIGINT, then stop softly; a second one ends at once.

        Raises ConfigurationInvalid if queues stand that were declared otherwise.
        """
        controller = self._controller()
        consumer = threading.Thread(
            target=self._consume, args=(controller,), name="consumer", daemon=True
        )
        port = self._config.metrics_port
        with self._asked.listening(), exposed(self.meters.registry, port):
            consumer.start()
            while not (self._ended.is_set() or self._asked.to_stop):
                self._asked.wait(self._config.heartbeat_every)
                self._beat()
            self._stop(controller)
        if self._desk.trouble:
            raise self._desk.trouble
        if not self._asked.to_stop:
            raise BrokerUnavailable("The consumer ended unasked: see the log.")

    def stopping_for(self) -> float:
        """Seconds since the process was asked to stop; 0 while it goes on."""
        at = self._stopped_at
        return 0.0 if at is None else time.monotonic() - at

    def _controller(self) -> Controller:
        app = celery_app(self._config)
        register(app, self._accepted, self._slots)
        setup_worker_optimizations(app, self._config.owner)
        return Controller(app, self._desk, self._config.owner)

    def _consume(self, controller: Controller) -> None:
        try:
            controller.start()
        finally:
            self._ended.set()
            self._asked.say()

    def _stop(self, controller: Controller) -> None:
        """Begin nothing more, and wait for what runs; end by force if it hangs."""
        self._stopped_at = time.monotonic()
        log.info("worker_stopping", extra={"owner": self._config.owner})
        self._slots.stop()
        state.should_stop = 0
        controller.wake()
        patience = self._config.finish_within + self._config.give_back_within
        while not self._ended.is_set():
            if self.stopping_for() > patience:
                log.error("stopped_by_force", extra={"after_seconds": patience})
                os._exit(HUNG)
            self._asked.wait(min(patience, self._config.heartbeat_every))
            self._beat()

    def _beat(self) -> None:
        """Touch the heartbeat file if consumer and pixels are alive."""
        file, turned_at = self._config.heartbeat_file, self._desk.turned_at
        if file is None or turned_at is None:
            return
        turns = time.monotonic() - turned_at <= self._config.silence
        beat(file, well=turns and self._alive())
