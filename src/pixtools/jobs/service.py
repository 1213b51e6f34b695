"""The service as a value: the ports it stands on and the rules it keeps."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from pixtools.domain.catalogue import STANDARD, Capabilities
from pixtools.domain.errors import ConfigurationInvalid
from pixtools.domain.limits import Limits
from pixtools.domain.webhook import WebhookRules
from pixtools.jobs.flights import Flights
from pixtools.jobs.ports.blobs import Blobs, Links, Scratch
from pixtools.jobs.ports.facts import Database
from pixtools.jobs.ports.sources import Fetcher
from pixtools.jobs.ports.webhooks import Sealer
from pixtools.jobs.ports.work import Bell, Clock, Ids, Renderer


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the operator decided.

    `relayed`: work is announced through the outbox. A stage of at least `heavy_ms`
    (milliseconds on one core) is heavy. `ml_isolated`: denoising has its own lane.
    An archive of at most `ahead_bytes` is packed before a job's end is told of, which
    that holds up by a twentieth of a second.
    """

    limits: Limits = field(default_factory=Limits)
    capabilities: Capabilities = STANDARD
    queue_size: int = 1000
    tenant_share: float = 1.0
    retention: timedelta = timedelta(hours=24)
    burial: timedelta = timedelta(days=7)
    usage_retention: timedelta = timedelta(days=400)
    upload_expiry: timedelta = timedelta(minutes=15)
    idempotency_ttl: timedelta = timedelta(hours=24)
    lease: timedelta = timedelta(seconds=60)
    heartbeat: timedelta = timedelta(seconds=15)
    backoff: timedelta = timedelta(seconds=2)
    max_attempts: int = 5
    relayed: bool = False
    heavy_ms: int = 8000
    ahead_bytes: int = 8 * 1024 * 1024
    ml_isolated: bool = True
    local_root: Path | None = None
    fetch_timeout: timedelta = timedelta(seconds=30)
    webhooks: WebhookRules = field(default_factory=WebhookRules)


class NoSealer:
    """The sealer of a process that keeps no secrets."""

    def seal(self, text: str) -> str:
        """Raise ConfigurationInvalid."""
        del text
        raise ConfigurationInvalid("This process has no key to keep secrets with.")

    unseal = seal


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """All ports in one value: the first argument of every verb."""

    database: Database
    blobs: Blobs
    links: Links
    scratch: Scratch
    renderer: Renderer
    bell: Bell
    clock: Clock
    ids: Ids
    rules: Rules = field(default_factory=Rules)
    fetcher: Fetcher | None = None
    """None where no source is fetched from an address."""
    flights: Flights = field(default_factory=Flights)
    rest: Callable[[float], None] = time.sleep
    """Lets seconds pass."""
    sealer: Sealer = field(default_factory=NoSealer)
