"""What the operator decided, as the verbs want it."""

from __future__ import annotations

from datetime import timedelta

from pixtools.domain.catalogue import Capabilities
from pixtools.jobs.service import Rules
from pixtools.settings import Settings
from pixtools.wiring.pixels import limits
from pixtools.wiring.webhooks import webhook_rules


def rules(settings: Settings, capabilities: Capabilities) -> Rules:
    """What the operator decided, as the verbs want it."""
    return Rules(
        limits=limits(settings),
        capabilities=capabilities,
        queue_size=settings.queue_size,
        tenant_share=settings.tenant_share,
        relayed=bool(settings.rabbitmq_url),
        heavy_ms=settings.heavy_ms,
        ml_isolated=settings.ml_queue_isolation_enabled,
        lease=timedelta(seconds=settings.lease_seconds),
        heartbeat=timedelta(seconds=settings.lease_seconds / 4),
        retention=timedelta(hours=settings.job_retention_hours),
        usage_retention=timedelta(days=settings.usage_retention_days),
        upload_expiry=timedelta(seconds=settings.upload_url_expiry_seconds),
        idempotency_ttl=timedelta(seconds=settings.idempotency_ttl_seconds),
        fetch_timeout=timedelta(seconds=settings.source_timeout_seconds),
        local_root=settings.local_file_root,
        webhooks=webhook_rules(settings),
    )
