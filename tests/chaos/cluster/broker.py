"""RabbitMQ past the service: what lies in its queues, and what is put there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import amqp

from pixtools.queue.contracts import CONTENT_TYPE
from pixtools.queue.topology import EXCHANGE, dead_letters_of

LANES: Final = ("default_queue", "ml_inference_queue")


@dataclass(frozen=True, slots=True)
class RawBroker:
    """The virtual host of a cluster; each question has a connection of its own."""

    url: str

    def waiting(self) -> int:
        """Messages that wait for a worker, over all lanes."""
        with self._channel() as channel:
            return sum(_count(channel, lane) for lane in LANES)

    def dead_letters(self) -> int:
        """Messages that nobody understood, over all lanes."""
        with self._channel() as channel:
            return sum(_count(channel, dead_letters_of(lane)) for lane in LANES)

    def purge(self) -> int:
        """Drop every message that waits; how many."""
        with self._channel() as channel:
            return sum(channel.queue_purge(lane) or 0 for lane in LANES)

    def forget_dead_letters(self) -> None:
        """Drop every dead letter."""
        with self._channel() as channel:
            for lane in LANES:
                channel.queue_purge(dead_letters_of(lane))

    def put(
        self,
        lane: str,
        task: str | None,
        token: object,
        *,
        content_type: str = CONTENT_TYPE,
        body: bytes | None = None,
    ) -> None:
        """Publish a message as it may come from anywhere."""
        headers: dict[str, Any] = {"lang": "py", "id": "chaos"}
        if task is not None:
            headers["task"] = task
        text = json.dumps([[], token, {}]).encode() if body is None else body
        message = amqp.Message(
            text,
            content_type=content_type,
            content_encoding="utf-8",
            delivery_mode=2,
            application_headers=headers,
        )
        with self._channel() as channel:
            channel.confirm_select()
            channel.basic_publish_confirm(message, EXCHANGE, lane, mandatory=True)

    @contextmanager
    def _channel(self) -> Iterator[Any]:
        parts = urlsplit(self.url)
        connection = amqp.Connection(
            host=f"{parts.hostname}:{parts.port}",
            userid=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            virtual_host=unquote(parts.path[1:]),
        )
        connection.connect()
        with closing(connection):
            yield connection.channel()


def _count(channel: Any, queue: str) -> int:
    counted: int = channel.queue_declare(queue, passive=True).message_count
    return counted
