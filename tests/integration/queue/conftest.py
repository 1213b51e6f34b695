"""A virtual host of RabbitMQ for each module, empty for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.integration.queue.hands import Rabbit, patient

from pixtools.queue.broker import Broker
from pixtools.testing.services import MANAGED_BY, Services


@pytest.fixture
def rabbit(rabbitmq_url: str, services: Services) -> Iterator[Rabbit]:
    managed_by = services.lines("RABBITMQ_URL")[MANAGED_BY]
    broker = Broker(patient(rabbitmq_url))
    made = Rabbit(rabbitmq_url, managed_by, broker)
    made.empty()
    yield made
    broker.close()
