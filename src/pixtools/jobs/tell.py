"""Telling clients: take an event that is due, and record what came of sending it."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from pixtools.domain.job import Job
from pixtools.domain.webhook import (
    Attempt,
    Circuit,
    Delivery,
    Webhook,
    WebhookRules,
    is_trouble,
)
from pixtools.jobs.change import Change, Happening, change
from pixtools.jobs.service import Service
from pixtools.jobs.signing import secrets_of
from pixtools.jobs.webhooks import is_untold

log = logging.getLogger(__name__)
CircuitState = Literal["closed", "open", "half_open"]
Turn = tuple[CircuitState, CircuitState]
"""From and to."""
LATER: float = 0.25
"""A retry comes up to so much later than the schedule says, never earlier."""

GONE = 410
REFUSED = "refused"
"""An `Attempt.error` of ours: the destination may not be called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A delivery that is ours to send, and the secrets to sign it with.

    `sandbox_id` is set where our own sandbox receives it; `doubtful` is a host that
    has failed before.
    """

    delivery: Delivery
    secrets: Sequence[str] = field(repr=False)
    sandbox_id: str | None = None
    doubtful: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What a recorded attempt has led to; not `kept` if the claim was lost."""

    kept: bool
    state: str = "pending"
    turned: tuple[Turn, ...] = ()


def due_in(service: Service) -> timedelta | None:
    """The time until an event is due; None if none waits."""
    with service.database.read() as tx:
        due = tx.deliveries.next_due()
    return None if due is None else due - service.clock.now()


def take(service: Service, owner: str, *, steady: bool = False) -> Parcel | None:
    """Claim the next event that may be told now; None if there is none.

    With `steady` those of hosts that have failed are left. Raises ConfigurationInvalid
    where our key does not open a secret: then the attempt has been recorded.
    """
    due = due_in(service)
    if due is None or due > timedelta():
        return None
    rules = service.rules.webhooks
    with service.database.write() as tx:
        delivery = tx.deliveries.claim(
            owner,
            service.clock.now(),
            rules.lease,
            per_host=rules.per_host,
            per_tenant=rules.per_tenant,
            steady=steady,
        )
        if delivery is None:
            return None
        sandbox = tx.sandboxes.at(delivery.url)
        if sandbox and sandbox.tenant != delivery.tenant:
            sandbox = None
        doubtful = tx.circuits.get(delivery.host) is not None
    try:
        sealed = [service.sealer.unseal(sandbox.sealed)] if sandbox else None
        secrets = sealed or secrets_of(service, delivery.tenant)
    except Exception:
        at = service.clock.now()
        failed = _attempt(delivery, at, error="signing secret unreadable")
        record(service, delivery, failed)
        raise
    return Parcel(
        delivery=delivery,
        secrets=secrets,
        sandbox_id=sandbox.id if sandbox else None,
        doubtful=doubtful,
    )


def record(
    service: Service,
    delivery: Delivery,
    attempt: Attempt,
    *,
    retry_after: float | None = None,
    host_known: bool = False,
) -> Recorded:
    """Keep what came of an attempt: told, to be tried again, or given up.

    `retry_after` are the seconds that the receiver asked for. With `host_known` the
    attempt says something about its host. One whose lease ran out is not kept: somebody
    else tells the same event again, by the same id.
    """
    with change(service) as made:
        job = made.tx.jobs.get(delivery.job_id, lock=True)
        held = made.tx.deliveries.get(delivery.id, lock=True)
        if job is None or held is None or not _is_same_claim(held, delivery):
            return Recorded(kept=False)
        made.tx.attempts.add(attempt)
        after = _after(service.rules.webhooks, held, attempt, made.now, retry_after)
        made.tx.deliveries.save(after)
        turned: tuple[Turn, ...] = ()
        if host_known:
            turned = _judge(service.rules.webhooks, made, held.host, attempt)
        _show(made, job, after)
        return Recorded(kept=True, state=after.state, turned=turned)


def give_back(service: Service, delivery: Delivery) -> None:
    """Let others send what we can't any more; the attempt does not count."""
    with service.database.write() as tx:
        held = tx.deliveries.get(delivery.id, lock=True)
        if held and _is_same_claim(held, delivery):
            now = service.clock.now()
            free = replace(held, lease_owner=None, run_at=now, spared=held.spared + 1)
            tx.deliveries.save(free)


def _attempt(delivery: Delivery, at: datetime, *, error: str) -> Attempt:
    return Attempt(delivery_id=delivery.id, number=delivery.attempt, at=at, error=error)


def _is_same_claim(held: Delivery, claimed: Delivery) -> bool:
    return (
        held.state == "pending"
        and held.lease_owner == claimed.lease_owner
        and held.attempt == claimed.attempt
    )


def _after(
    rules: WebhookRules,
    held: Delivery,
    attempt: Attempt,
    now: datetime,
    retry_after: float | None,
) -> Delivery:
    free = replace(held, lease_owner=None, last_status=attempt.status)
    if attempt.status is not None and 200 <= attempt.status < 300:
        return replace(free, state="delivered", ended_at=now)
    if attempt.status == GONE or held.counted >= rules.max_attempts:
        return replace(free, state="failed", ended_at=now)
    pause = _pause(rules, held)
    if retry_after is not None:
        pause = max(pause, min(timedelta(seconds=retry_after), rules.longest_wait))
    return replace(free, run_at=now + pause)


def _pause(rules: WebhookRules, held: Delivery) -> timedelta:
    """As the schedule says, and a little longer: those who failed together part.

    The draw is the delivery's own, so that a test knows when.
    """
    planned = rules.schedule[min(held.counted, len(rules.schedule)) - 1]
    draw = zlib.crc32(f"{held.id}:{held.attempt}".encode()) / 2**32
    return timedelta(seconds=planned * (1 + LATER * draw))


def _judge(
    rules: WebhookRules, made: Change, host: str, attempt: Attempt
) -> tuple[Turn, ...]:
    """Open, keep or close the circuit of a host; how it turned."""
    before = made.tx.circuits.get(host)
    trial = before is not None and before.open_until is not None
    turned: tuple[Turn, ...] = ()
    if trial:
        turned = (("open", "half_open"),)
    if not is_trouble(attempt.status):
        if before:
            made.tx.circuits.forget(host)
        return (*turned, ("half_open", "closed")) if trial else turned
    failures = (before.failures if before else 0) + 1
    opens = failures >= rules.threshold
    until = made.now + rules.reset if opens else None
    made.tx.circuits.save(
        Circuit(host=host, failures=failures, failed_at=made.now, open_until=until)
    )
    if not opens:
        return turned
    return (*turned, ("half_open" if trial else "closed", "open"))


def _show(made: Change, job: Job, after: Delivery) -> None:
    """Tell those who watch the job how telling its client goes."""
    webhook = job.webhook or Webhook()
    pending = after.state == "pending"
    shown = replace(
        webhook,
        state=after.state,
        attempts=webhook.attempts + 1,
        last_status=after.last_status,
        next_attempt_at=after.run_at if pending else None,
    )
    happened: tuple[Happening, ...] = (("webhook", None),)
    if job.settled and is_untold(job):
        happened += (("done", None),)
    made.record(replace(job, webhook=shown), *happened)
