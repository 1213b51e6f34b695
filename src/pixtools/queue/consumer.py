"""Celery's consumer, with three habits of ours.

It declares the whole topology whenever it connects, it refuses messages that break
their contract before Celery drops them, and it shows that its loop turns.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from amqp import AMQPError
from celery import Celery
from celery.exceptions import WorkerShutdown
from celery.worker import WorkController
from celery.worker.consumer import Consumer
from celery.worker.state import maybe_shutdown

from pixtools.domain.errors import ConfigurationInvalid
from pixtools.queue.config import BrokerConfig
from pixtools.queue.contracts import Contract, PoisonMessage, read
from pixtools.queue.topology import declare

log = logging.getLogger(__name__)
CELERYS = logging.getLogger("celery.worker.consumer.consumer")
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 3.0
UNKNOWN = "unknown"


@dataclass(slots=True, kw_only=True)
class Desk:
    """What consumer and worker process say to each other, over threads."""

    broker: BrokerConfig
    accepted: Mapping[str, Contract]
    refused: Callable[[str], None]
    """Told the task of each refused message, or UNKNOWN."""
    ready: Callable[[], None]
    """Told whenever it begins to consume."""
    trouble: ConfigurationInvalid | None = None
    turned_at: float | None = None
    """When the loop last turned (monotonic); None before its first connection."""
    away: bool = False
    """Whether it was said that the broker is away."""

    def turn(self) -> None:
        """The loop turns, or tries to connect."""
        self.turned_at = time.monotonic()


class Controller(WorkController):  # type: ignore[misc] # Celery has no types
    """Celery's worker without its program: no signals, no logging, no banner."""

    def __init__(self, app: Celery, desk: Desk, hostname: str) -> None:
        self.desk = desk
        super().__init__(
            app=app,
            hostname=hostname,
            consumer_cls=TokenConsumer,
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        )

    def wake(self) -> None:
        """Let the loop look whether it should stop; from another thread."""
        if self.hub is not None:
            self.hub.call_soon(self.desk.turn)


class TokenConsumer(Consumer):  # type: ignore[misc] # Celery has no types
    """The consumer of a Controller."""

    class Blueprint(Consumer.Blueprint):  # type: ignore[misc] # Celery has no types
        """Without 28 queues for delayed messages: the database knows what is due."""

        default_steps = (
            "celery.worker.consumer.connection:Connection",
            "celery.worker.consumer.control:Control",
            "celery.worker.consumer.tasks:Tasks",
            "celery.worker.consumer.consumer:Evloop",
        )

    def connection_for_read(self, heartbeat: float | None = None) -> Any:  # noqa: ANN401 - Celery has no types
        """Be let in, and have every queue; ends the worker where they stand otherwise.

        Celery would try again at once where RabbitMQ refuses us, without end.
        """
        self._consumed = False
        while (connection := self._admitted(heartbeat)) is None:
            self._rest()
        return connection

    def ensure_connected(self, conn: Any) -> Any:  # noqa: ANN401 - Celery has no types
        """Try until it works or the worker is to stop."""
        return conn.ensure_connection(
            self._unreachable,
            interval_start=FIRST_PAUSE,
            interval_step=FIRST_PAUSE,
            interval_max=LONGEST_PAUSE,
            callback=self._while_waiting,
        )

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Say it once; rest where it never came to consuming: it would go on so.

        That is where RabbitMQ lets us in and then refuses a queue, say, or where a
        member of its cluster is missing. Celery would say each time that it is back
        at it, and be so at once.
        """
        self._unreachable(exc, LONGEST_PAUSE)
        CELERYS.disabled = True
        try:
            super().on_connection_error_after_connected(exc)
        finally:
            CELERYS.disabled = False
        if not self._consumed:
            self._rest()

    def on_ready(self) -> None:
        """Say so at each connection."""
        super().on_ready()
        self._consumed = True
        self.hub.on_tick.add(self._desk.turn)
        self._desk.turn()
        self._desk.ready()
        if self._desk.away:
            log.info("broker_back")
        self._desk.away = False

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as above
        """Celery acknowledges what it can't decode: refuse that first."""
        accept = super().create_task_handler(*args, **kwargs)
        accepted = self._desk.accepted

        def on_message(message: Any) -> None:  # noqa: ANN401 - kombu has no types
            try:
                read(accepted, message.headers, message.content_type, message.body)
            except PoisonMessage as error:
                self._refuse(message, error)
            else:
                message.ack_log_error = partial(self._acknowledge, message)
                accept(message)

        return on_message

    @property
    def _desk(self) -> Desk:
        desk: Desk = self.controller.desk
        return desk

    def _rest(self) -> None:
        until = time.monotonic() + LONGEST_PAUSE
        while time.monotonic() < until:
            self._while_waiting()
            time.sleep(FIRST_PAUSE)

    def _admitted(self, heartbeat: float | None) -> Any:  # noqa: ANN401 - Celery has no types
        """A connection that may do all that we do; None where RabbitMQ won't."""
        connection = self.app.connection_for_read(heartbeat=heartbeat)
        try:
            self.ensure_connected(connection)
            declare(connection.default_channel, self._desk.broker)
        except ConfigurationInvalid as error:
            self._desk.trouble = error
            raise WorkerShutdown(1) from None
        except (AMQPError, OSError) as error:
            connection.collect()
            self._unreachable(error, LONGEST_PAUSE)
            return None
        return connection

    def _refuse(self, message: Any, error: PoisonMessage) -> None:  # noqa: ANN401 - as above
        task = str((message.headers or {}).get("task"))
        queue = message.delivery_info.get("routing_key")
        log.error("message_refused", extra={"queue": queue, "reason": str(error)})
        self._desk.refused(task if task in self._desk.accepted else UNKNOWN)
        message.reject_log_error(log, self.connection_errors)

    def _acknowledge(self, message: Any, *_: object) -> None:  # noqa: ANN401 - as above
        """Celery would call it critical, with a traceback, that a token comes back."""
        try:
            message.ack()
        except self.connection_errors as error:
            log.info("token_comes_back", extra={"reason": str(error)})

    def _unreachable(self, error: Exception, pause: float) -> None:
        del pause
        self._desk.turn()
        if not self._desk.away:
            reason = str(error) or type(error).__name__
            log.warning("broker_away", extra={"reason": reason})
        self._desk.away = True

    def _while_waiting(self) -> None:
        self._desk.turn()
        maybe_shutdown()
