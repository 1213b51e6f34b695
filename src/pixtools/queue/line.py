"""One open connection to RabbitMQ, used by one thread at a time.

py-amqp alone, not kombu or Celery: an API process that only asks whether the broker
answers should not carry them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from ssl import CERT_REQUIRED
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import amqp

from pixtools.domain.errors import BrokerUnavailable
from pixtools.queue.config import BrokerConfig
from pixtools.queue.topology import EXCHANGE, declare

GLANCE: Final = 0.01
"""Seconds for what came meanwhile to be read."""


def tls_of(url: str) -> dict[str, Any] | None:
    """How an `amqps` connection checks whom it speaks to; None where it is `amqp`."""
    parts = urlsplit(url)
    if parts.scheme != "amqps":
        return None
    return {"cert_reqs": CERT_REQUIRED, "server_hostname": parts.hostname}


class Blocked(BrokerUnavailable):
    """RabbitMQ takes no messages for now: rabbitmq-diagnostics alarms says why."""


class Line:
    """Raises amqp's errors and OSError; after one it is of no use any more.

    While memory or disk runs short RabbitMQ reads nothing from whoever has posted, not
    even a farewell. Such a line is kept and asked for nothing until it hears of the
    end: each new one would be blocked, too, and leave the last one behind over there.
    Confirms are awaited for many messages at once. There is no heartbeat: whoever
    uses the line notices by the time-outs that nobody is there.
    """

    def __init__(self, config: BrokerConfig) -> None:
        self._config = config
        self._is_blocked = False
        self._connection = _connect(config, self._blocked, self._unblocked)
        self._questions = self._connection.channel()
        self._posts: Any = None
        self._sent = 0
        self._open: set[int] = set()
        self._refused: list[str] = []

    def post(self, messages: Sequence[tuple[str, amqp.Message]]) -> None:
        """Publish to routing keys; raises BrokerUnavailable unless all are safe.

        If it is Blocked, the line stands.
        """
        if self._posts is None:
            self._posts = self._confirming()
        self._refuse_if_blocked()
        self._refused.clear()
        for key, message in messages:
            self._sent += 1
            self._open.add(self._sent)
            self._posts.basic_publish(message, EXCHANGE, key, mandatory=True)
        deadline = time.monotonic() + self._config.answer_within
        while self._open:
            if self._is_blocked:
                raise Blocked
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("no confirms")
            self._connection.drain_events(timeout=left)
        if self._refused:
            raise BrokerUnavailable(f"RabbitMQ refused messages: {self._refused[0]}.")

    def counts(self, queue: str) -> tuple[int, int]:
        """Messages ready in a queue, and its consumers; declares it if need be."""
        try:
            found = self._questions.queue_declare(queue, passive=True)
        except amqp.NotFound:
            declare(self._questions, self._config)
            return 0, 0
        return found.message_count, found.consumer_count

    def ask(self) -> None:
        """One question and its answer."""
        self._questions.basic_qos(0, 1, False)

    def close(self) -> None:
        """Hang up, whether anyone listens or not."""
        try:
            if self._is_blocked:
                self._connection.collect()
            else:
                self._connection.close()
        except (amqp.AMQPError, OSError):
            self._connection.collect()

    def _refuse_if_blocked(self) -> None:
        """Raise Blocked, unless word has come that it is over."""
        with suppress(TimeoutError):
            while self._is_blocked:
                self._connection.drain_events(timeout=GLANCE)
        if self._is_blocked:
            raise Blocked

    def _blocked(self, *_: object) -> None:
        self._is_blocked = True

    def _unblocked(self) -> None:
        self._is_blocked = False

    def _confirming(self) -> Any:  # noqa: ANN401 - amqp has no types
        channel = self._connection.channel()
        declare(channel, self._config)
        channel.confirm_select()
        channel.events["basic_ack"].add(self._settled)
        channel.events["basic_nack"].add(self._nacked)
        channel.events["basic_return"].add(self._returned)
        return channel

    def _settled(self, tag: int, multiple: bool) -> None:
        if multiple:
            self._open = {each for each in self._open if each > tag}
        else:
            self._open.discard(tag)

    def _nacked(self, tag: int, multiple: bool) -> None:
        self._refused.append("it took none")
        self._settled(tag, multiple)

    def _returned(self, error: Exception, exchange: str, key: str, _: object) -> None:
        del error, exchange
        self._refused.append(f"nothing leads to {key}")


def _connect(
    config: BrokerConfig, blocked: Callable[..., None], unblocked: Callable[[], None]
) -> Any:  # noqa: ANN401 - amqp has no types
    parts = urlsplit(config.url)
    tls = tls_of(config.url)
    connection = amqp.Connection(
        host=f"{parts.hostname or 'localhost'}:{parts.port or (5671 if tls else 5672)}",
        userid=unquote(parts.username or "guest"),
        password=unquote(parts.password or "guest"),
        virtual_host=unquote(parts.path[1:]) or "/",
        ssl=tls or False,
        connect_timeout=config.connect_within,
        read_timeout=config.answer_within,
        write_timeout=config.answer_within,
        client_properties={"connection_name": "pixtools"},
        on_blocked=blocked,
        on_unblocked=unblocked,
    )
    try:
        connection.connect()
    except BaseException:
        connection.collect()
        raise
    return connection
