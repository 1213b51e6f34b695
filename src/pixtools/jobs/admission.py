"""Whether one more job may wait, and when to ask again if it may not."""

from __future__ import annotations

from datetime import datetime, timedelta

from pixtools.domain.errors import QueueFull, TenantShareExceeded
from pixtools.jobs.ports.facts import Transaction
from pixtools.jobs.ports.waiting import Load
from pixtools.jobs.service import Rules, Service

PACE = timedelta(minutes=1)
"""Over how long the drain is measured."""
AT_ONCE = 64
"""More jobs than are added in the same moment, whatever number of servers adds them."""
SOONEST, LATEST = 1.0, 60.0
"""Seconds between which whoever is refused is asked to come back."""


def admit(service: Service, tenant: str, key: str | None = None) -> None:
    """Refuse early, before bytes are taken; raises QueueFull, TenantShareExceeded.

    A request whose idempotency key has an answer already adds no job.
    """
    now = service.clock.now()
    with service.database.read() as tx:
        if key and tx.idempotency.recall(tenant, key, now):
            return
        _check(tx, service.rules, tenant, now, tx.queues.load(tenant))


def has_answer(service: Service, tenant: str, key: str) -> bool:
    """Whether a request under this idempotency key was answered already."""
    with service.database.read() as tx:
        return tx.idempotency.recall(tenant, key, service.clock.now()) is not None


def check_load(tx: Transaction, rules: Rules, tenant: str, now: datetime) -> None:
    """The same within the transaction that would add the job.

    Transactions do not see each other's jobs before they end, so where there is room
    for few more they count one after another; elsewhere nobody waits.
    """
    load = tx.queues.load(tenant)
    room = min(rules.queue_size - load.total, _share(rules) - load.of_tenant)
    if 0 < room <= AT_ONCE:
        load = tx.queues.load(tenant, alone=True)
    _check(tx, rules, tenant, now, load)


def _check(
    tx: Transaction, rules: Rules, tenant: str, now: datetime, load: Load
) -> None:
    share = _share(rules)
    if load.total >= rules.queue_size:
        ended = tx.queues.load(tenant, since=now - PACE).ended
        raise QueueFull(
            f"{load.total} jobs wait, and no more may: try again later.",
            retry_after=_half_drained(load.total, ended),
        )
    if load.of_tenant >= share:
        ended = tx.queues.load(tenant, since=now - PACE).ended_of_tenant
        raise TenantShareExceeded(
            f"You have {load.of_tenant} jobs waiting and may have {share}: "
            "try again when some have ended.",
            retry_after=_half_drained(load.of_tenant, ended),
        )


def _share(rules: Rules) -> int:
    return max(1, int(rules.queue_size * rules.tenant_share))


def _half_drained(waiting: int, ended: int) -> float:
    """Seconds until half of what waits has ended, if it goes on as in the last minute.

    Then there is room for many of those who were refused, and still work for all
    workers.
    """
    seconds = waiting / 2 * PACE.total_seconds() / ended if ended else LATEST
    return min(LATEST, max(SOONEST, seconds))
