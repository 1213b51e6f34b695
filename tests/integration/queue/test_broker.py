"""The broker as schedulers and health checks see it: safe, bounded, back by itself."""

from __future__ import annotations

import threading

import pytest
from tests.integration.queue.hands import PATIENCE, Rabbit, patient, wakeup, wakeups
from tests.integration.queue.proxy import proxied
from tests.stopwatch import Stopwatch

from pixtools.domain.errors import (
    BrokerUnavailable,
    ConfigurationInvalid,
    PixtoolsError,
)
from pixtools.queue.broker import Broker
from pixtools.queue.config import BrokerConfig
from pixtools.testing.program import eventually


def test_when_posting_returns_the_broker_holds_every_token(rabbit: Rabbit) -> None:
    rabbit.broker.post([*wakeups(300), wakeup("ml_inference_queue", "denoise")])
    assert rabbit.ready() == 300
    assert rabbit.ready("ml_inference_queue") == 1
    assert rabbit.broker.consumers("default_queue") == 0
    assert rabbit.broker.dead_letters("default_queue") == 0


def test_posting_nothing_asks_nobody() -> None:
    Broker(BrokerConfig(url="amqp://127.0.0.1:1")).post([])


def test_a_broker_that_is_not_there_is_told_apart_soon(rabbit: Rabbit) -> None:
    with proxied(rabbit.url) as (wire, url):
        wire.cut()
        broker = Broker(BrokerConfig(url=url))
        for question in (broker.check, lambda: broker.post(wakeups(1))):
            with pytest.raises(BrokerUnavailable, match="Connection refused"):
                question()


def test_a_broker_that_is_silent_is_waited_for_no_longer_than_was_said(
    rabbit: Rabbit,
) -> None:
    with proxied(rabbit.url) as (wire, url):
        config = BrokerConfig(url=url, connect_within=1.5, answer_within=1.5)
        heard = Broker(config)
        eventually(lambda: answers(heard), PATIENCE)
        wire.hold()
        for broker in (heard, Broker(config)):
            with (
                Stopwatch() as watch,
                pytest.raises(BrokerUnavailable, match="no answer in time"),
            ):
                broker.check()
            assert watch.seconds < 10
        wire.let_go()
        eventually(lambda: answers(heard), PATIENCE)
        heard.close()


def answers(broker: Broker) -> bool:
    """Whether it does so in time, which a busy one may not at once."""
    try:
        broker.check()
    except BrokerUnavailable:
        return False
    return True


def test_a_broken_connection_is_made_anew_without_a_word(rabbit: Rabbit) -> None:
    with proxied(rabbit.url) as (wire, url):
        broker = Broker(patient(url))
        broker.post(wakeups(1))
        for ask in (broker.check, lambda: broker.post(wakeups(1))):
            wire.cut()
            wire.mend()
            ask()
        assert rabbit.ready() == 2
        broker.close()


def test_wrong_credentials_are_said_without_showing_them(rabbit: Rabbit) -> None:
    wrong = rabbit.url.replace("://", "://x", 1)
    with pytest.raises(BrokerUnavailable) as refused:
        Broker(patient(wrong)).check()
    assert "refused" in refused.value.detail.lower()
    assert rabbit.url.split(":")[2].split("@")[0] not in refused.value.detail


def test_a_queue_that_somebody_deleted_is_there_again_at_the_next_look(
    rabbit: Rabbit,
) -> None:
    rabbit.delete_queue("default_queue")
    assert rabbit.broker.ready("default_queue") == 0
    rabbit.broker.post(wakeups(2))
    assert rabbit.ready() == 2


def test_tokens_that_lead_nowhere_are_no_success(rabbit: Rabbit) -> None:
    """The queue was deleted between two posts: the second one says so."""
    rabbit.broker.post(wakeups(1))
    rabbit.delete_queue("default_queue")
    with pytest.raises(BrokerUnavailable, match="nothing leads to default_queue"):
        rabbit.broker.post(wakeups(3))
    rabbit.broker.post(wakeups(3))
    assert rabbit.ready() == 3


def test_queues_that_were_declared_otherwise_are_named(rabbit: Rabbit) -> None:
    rabbit.delete_queue("default_queue")
    rabbit.declare("default_queue", {"x-queue-type": "classic"})
    try:
        with pytest.raises(ConfigurationInvalid) as refused:
            Broker(patient(rabbit.url)).post(wakeups(1))
    finally:
        rabbit.delete_queue("default_queue")
    assert "'default_queue'" in refused.value.detail
    assert "rabbitmqctl delete_queue" in refused.value.detail


def test_any_thread_may_ask(rabbit: Rabbit) -> None:
    errors: list[Exception] = []

    def ask() -> None:
        try:
            for _ in range(20):
                rabbit.broker.post(wakeups(3))
                rabbit.broker.ready("default_queue")
        except PixtoolsError as error:
            errors.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert rabbit.ready() == 240
