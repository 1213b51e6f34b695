"""Exchanges and queues as they stand in RabbitMQ: declared here, and nowhere else.

Every lane is a quorum queue. What can't be understood goes through the dead-letter
exchange into the lane's own dead-letter queue. RabbitMQ moves dead letters at least
once only where the source refuses what overflows (`reject-publish`), and keeps those
that nothing routes: so the dead-letter queues are declared first.
"""

from __future__ import annotations

from typing import Any, Final

import amqp

from pixtools.domain.errors import ConfigurationInvalid
from pixtools.domain.job import Lane
from pixtools.queue.config import LANES, BrokerConfig

EXCHANGE: Final = "pixtools"
DEAD_EXCHANGE: Final = "pixtools.dead"
EXCHANGE_TYPE: Final = "topic"


def dead_letters_of(lane: Lane) -> str:
    """The queue of a lane's dead letters."""
    return f"{lane}.dead"


def arguments(lane: Lane, config: BrokerConfig) -> dict[str, str | int]:
    """What a lane's queue is declared with; RabbitMQ never changes it afterwards."""
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": config.delivery_limit,
        "x-dead-letter-exchange": DEAD_EXCHANGE,
        "x-dead-letter-routing-key": lane,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


def declare(channel: Any, config: BrokerConfig) -> None:  # noqa: ANN401 - amqp's or kombu's
    """Have every exchange and queue; raises ConfigurationInvalid where they differ."""
    dead: dict[str, str | int] = {"x-queue-type": "quorum"}
    dead["x-max-length"] = config.dead_letters_kept
    try:
        _exchange(channel, DEAD_EXCHANGE)
        for lane in LANES:
            _queue(channel, dead_letters_of(lane), DEAD_EXCHANGE, lane, dead)
        _exchange(channel, EXCHANGE)
        for lane in LANES:
            _queue(channel, lane, EXCHANGE, lane, arguments(lane, config))
    except amqp.PreconditionFailed as error:
        raise ConfigurationInvalid(
            f"RabbitMQ has a queue or exchange that was declared otherwise "
            f"({_reason(error)}). Delete it (`rabbitmqctl delete_queue NAME`; waiting "
            "work is in the database and is announced anew), or let RABBITMQ_URL "
            "lead to another virtual host."
        ) from None


def _exchange(channel: Any, name: str) -> None:  # noqa: ANN401 - as above
    channel.exchange_declare(name, EXCHANGE_TYPE, durable=True, auto_delete=False)


def _queue(
    channel: Any,  # noqa: ANN401 - as above
    name: str,
    exchange: str,
    key: str,
    arguments: dict[str, str | int],
) -> None:
    channel.queue_declare(name, durable=True, auto_delete=False, arguments=arguments)
    channel.queue_bind(name, exchange, key)


def _reason(error: amqp.AMQPError) -> str:
    said: str = error.reply_text or str(error)
    return said.removeprefix("PRECONDITION_FAILED - ").rstrip(".")
