"""All ports in one value, and the HTTP face over it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from pixtools.jobs.ports.sources import Fetcher
from pixtools.jobs.ports.webhooks import Sealer
from pixtools.jobs.ports.work import Bell, Renderer
from pixtools.jobs.service import NoSealer, Rules, Service
from pixtools.persistence.database import SqlDatabase
from pixtools.settings import Settings
from pixtools.storage.config import check_address
from pixtools.storage.noted import NotedBlobs, NotedScratch, Watch
from pixtools.telemetry.metrics import UsageMeters
from pixtools.telemetry.wrap import CountingDatabase
from pixtools.wiring.identity import gate
from pixtools.wiring.machine import RandomIds, SystemClock
from pixtools.wiring.net import webhook_guard
from pixtools.wiring.storage import ObjectStores

if TYPE_CHECKING:
    from fastapi import FastAPI

    from pixtools.api.ports import NewsDesk, Probe


def assemble(
    database: SqlDatabase,
    objects: ObjectStores,
    renderer: Renderer,
    bell: Bell,
    rules: Rules,
    registry: CollectorRegistry,
    fetcher: Fetcher | None = None,
    *,
    sealer: Sealer | None = None,
) -> Service:
    """The service that verbs are called with; `registry` shows what jobs cost."""
    return Service(
        database=CountingDatabase(database, UsageMeters(registry)),
        blobs=NotedBlobs(objects.blobs, Watch()),
        links=objects.links,
        scratch=NotedScratch(objects.scratch, Watch("scratch")),
        renderer=renderer,
        bell=bell,
        clock=SystemClock(),
        ids=RandomIds(),
        rules=rules,
        fetcher=fetcher,
        sealer=sealer or NoSealer(),
    )


def face(
    settings: Settings,
    service: Service,
    desk: NewsDesk,
    objects: ObjectStores,
    probes: Mapping[str, Probe],
    registry: CollectorRegistry,
) -> FastAPI:
    """API and page over a service; only here is FastAPI imported.

    Raises ConfigurationInvalid.
    """
    from pixtools.api.app import create_app
    from pixtools.api.config import ApiConfig
    from pixtools.web.mount import page_routes
    from pixtools.wiring import limits

    return create_app(
        ApiConfig(
            version=version("pixtools"),
            public_base_url=public_address(settings),
            metrics=settings.metrics_enabled,
            limit_strangers=limits.limit_strangers(settings),
            poll_interval=_patience(settings),
            # With the sixteenth that a link may have aged in the store's hands,
            # seven eighths are left: see docs/explanation/links.md.
            link_period=min(300.0, settings.presigned_url_expiry_seconds / 16),
        ),
        service,
        desk=desk,
        # Health tells them in this order: database, Redis, broker, store.
        probes={
            "database": probes["database"],
            **limits.redis_probes(settings),
            **probes,
        },
        doors=objects.doors(),
        page=page_routes(objects.origins()),
        limiter=limits.rate_limiter(settings),
        gate=gate(settings, service.database),
        sign_ins=limits.sign_in_limiter(settings),
        check_webhook=webhook_guard(settings).check,
        registry=registry,
    )


def public_address(settings: Settings) -> str | None:
    """Where clients see us, if it is told; raises ConfigurationInvalid.

    Every link begins with it, so half of one would break them all.
    """
    check_address("PUBLIC_BASE_URL", settings.public_base_url)
    return settings.public_base_url or None


def _patience(settings: Settings) -> float:
    """Seconds after which whoever waits for news looks by itself.

    Only workers that share SQLite with us are out of earshot.
    """
    return 1.0 if settings.sqlite_path and settings.rabbitmq_url else 5.0
