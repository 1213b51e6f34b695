"""RabbitMQ takes nothing from whoever posts while its memory or disk runs short."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.integration.queue.hands import PATIENCE, Rabbit, patient, wakeups
from tests.integration.queue.proxy import Proxy, proxied

from pixtools.domain.errors import BrokerUnavailable
from pixtools.queue.broker import Broker
from pixtools.testing.program import eventually


@pytest.fixture
def wire(rabbit: Rabbit) -> Iterator[Proxy]:
    with proxied(rabbit.url) as (wire, url):
        rabbit.broker.close()
        rabbit.broker = Broker(patient(url))
        yield wire
        rabbit.broker.close()


def test_a_blocked_line_is_kept_and_said_to_be_blocked(
    rabbit: Rabbit, wire: Proxy
) -> None:
    """A new one for each try would be left behind in RabbitMQ, which reads no farewell.

    Nobody waits for it: how long an alarm stands is for its operators to say.
    """
    rabbit.broker.post(wakeups(1))
    before = wire.visits
    wire.block()
    for _ in range(4):
        with pytest.raises(BrokerUnavailable, match="rabbitmq-diagnostics alarms"):
            rabbit.broker.post(wakeups(2))
    assert wire.visits == before


def test_after_the_alarm_tokens_are_posted_on_the_same_line(
    rabbit: Rabbit, wire: Proxy
) -> None:
    """What was on its way when it began may come, too: a token does no harm."""
    rabbit.broker.post(wakeups(1))
    before = wire.visits
    wire.block()
    with pytest.raises(BrokerUnavailable):
        rabbit.broker.post(wakeups(2))
    wire.unblock()
    eventually(lambda: posts(rabbit), PATIENCE)
    assert wire.visits == before
    rabbit.eventually_ready(1 + 2 + 3)


def test_questions_are_answered_while_posts_are_not(
    rabbit: Rabbit, wire: Proxy
) -> None:
    rabbit.broker.post(wakeups(1))
    wire.block()
    with pytest.raises(BrokerUnavailable):
        rabbit.broker.post(wakeups(1))
    assert rabbit.broker.ready("default_queue") == 1


def posts(rabbit: Rabbit) -> bool:
    """Whether three tokens are taken."""
    try:
        rabbit.broker.post(wakeups(3))
    except BrokerUnavailable:
        return False
    return True
