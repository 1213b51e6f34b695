"""Whether one more job may wait."""

from __future__ import annotations

from pixtools.domain.errors import QueueFull, TenantShareExceeded
from pixtools.jobs.ports.facts import Transaction
from pixtools.jobs.service import Rules, Service


def admit(service: Service, tenant: str) -> None:
    """Refuse early, before bytes are taken; raises QueueFull, TenantShareExceeded."""
    with service.database.read() as tx:
        check_load(tx, service.rules, tenant)


def check_load(tx: Transaction, rules: Rules, tenant: str) -> None:
    """The same within the transaction that would add the job."""
    load = tx.queues.load(tenant)
    if load.total >= rules.queue_size:
        raise QueueFull(f"{load.total} jobs wait, and no more may: try again later.")
    share = max(1, int(rules.queue_size * rules.tenant_share))
    if load.of_tenant >= share:
        raise TenantShareExceeded(
            f"You have {load.of_tenant} jobs waiting and may have {share}: "
            "try again when some have ended."
        )
