"""How clients are told: rules, keys, and the threads that send."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from pixtools.delivery.outbound import Outbound
from pixtools.delivery.sealing import DerivedKey, FernetSealer, Keys
from pixtools.domain.webhook import WebhookRules
from pixtools.jobs.ports.webhooks import Sealer
from pixtools.jobs.service import Service
from pixtools.net.guard import Guard
from pixtools.queue.bell import HouseBell
from pixtools.settings import Settings
from pixtools.storage.secrets_file import SecretsFile
from pixtools.wiring.net import webhook_guard

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from pixtools.net.client import Answer, Client


class Courier:
    """Calls receivers through a guard; who never had one to call carries no client."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    def post(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes,
        timeout: float,
        keep: int,
    ) -> Answer:
        """As `Client.post`."""
        return self._client.post(
            url, headers=headers, body=body, timeout=timeout, keep=keep
        )

    @cached_property
    def _client(self) -> Client:
        from pixtools.net.client import Client

        return Client(self._guard)


def webhook_rules(settings: Settings) -> WebhookRules:
    """How patiently clients are told."""
    pauses = settings.webhook_retry_seconds.split(",")
    return WebhookRules(
        schedule=tuple(float(pause) for pause in pauses),
        max_attempts=settings.webhook_max_attempts,
        timeout=settings.webhook_timeout,
        threshold=settings.webhook_cb_fail_threshold,
        reset=timedelta(seconds=settings.webhook_cb_reset_timeout),
        signing_secrets=tuple(settings.webhook_signing_secret.split()),
    )


def sealer(settings: Settings) -> Sealer:
    """What secrets in the database are encrypted with."""
    given = settings.secret_key.get_secret_value().encode()
    file = settings.pixtools_data_dir / "encryption-keys.json"
    keys: Keys = DerivedKey(given) if given else SecretsFile(file)
    return FernetSealer(keys)


@contextmanager
def outbound(
    settings: Settings, service: Service, house: HouseBell, registry: CollectorRegistry
) -> Iterator[Outbound]:
    """Threads that tell clients for as long as the block lasts."""
    from pixtools.delivery.meters import OutboundMeters
    from pixtools.delivery.sender import Sender

    owner = f"{socket.gethostname()}-{os.getpid()}-{service.ids.new()}"
    sender = Sender(service, Courier(webhook_guard(settings)))
    bell, meters = house.deliveries, OutboundMeters(registry)
    threads = Outbound(service, sender, bell, owner, meters=meters)
    threads.start()
    try:
        yield threads
    finally:
        threads.stop()
