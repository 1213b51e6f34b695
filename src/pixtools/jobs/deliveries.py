"""Looking at what a client was told, and telling it again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from pixtools.domain.document import AttemptDocument, DeliveryDocument
from pixtools.domain.errors import DeliveryNotFound, JobNotFound
from pixtools.domain.ids import is_id
from pixtools.domain.webhook import Attempt, Delivery, Webhook
from pixtools.jobs.change import change
from pixtools.jobs.read import get_job
from pixtools.jobs.service import Service


def deliveries_of(
    service: Service, tenant: str, job_id: str
) -> Sequence[DeliveryDocument]:
    """What a tenant's job told its client; raises JobNotFound, JobExpired."""
    get_job(service, tenant, job_id)
    with service.database.read() as tx:
        attempts = tx.attempts.of_job(job_id)
        return [described_delivery(d, attempts) for d in tx.deliveries.of_job(job_id)]


def replay(service: Service, tenant: str, delivery_id: str) -> DeliveryDocument:
    """Tell an event again now, by the same id, with all attempts before it.

    One that is just being sent is left to it. Raises DeliveryNotFound.
    """
    with service.database.read() as tx:
        known = tx.deliveries.get(delivery_id) if is_id(delivery_id) else None
    if known is None or known.tenant != tenant:
        raise _not_found(delivery_id)
    try:
        get_job(service, tenant, known.job_id)
    except JobNotFound:
        raise _not_found(delivery_id) from None
    with change(service) as made:
        job = made.tx.jobs.get(known.job_id, lock=True)
        held = made.tx.deliveries.get(delivery_id, lock=True)
        if job is None or held is None:
            raise _not_found(delivery_id)
        attempts = made.tx.attempts.of_job(job.id)
        if held.lease_owner and held.run_at > made.now:
            return described_delivery(held, attempts)
        again = replace(
            held,
            state="pending",
            spared=held.attempt,
            run_at=made.now,
            lease_owner=None,
            ended_at=None,
        )
        made.tx.deliveries.save(again)
        shown = replace(
            job.webhook or Webhook(), state="pending", next_attempt_at=made.now
        )
        made.record(replace(job, webhook=shown), ("webhook", None))
        made.deliver()
        return described_delivery(again, attempts)


def described_delivery(
    delivery: Delivery, attempts: Iterable[Attempt]
) -> DeliveryDocument:
    """The document of a delivery, with those attempts that are its own."""
    pending = delivery.state == "pending"
    return DeliveryDocument(
        id=delivery.id,
        webhook_id=delivery.webhook_id,
        job_id=delivery.job_id,
        event=delivery.event,
        url=delivery.url,
        state=delivery.state,
        next_attempt_at=delivery.run_at if pending else None,
        last_status=delivery.last_status,
        created_at=delivery.created_at,
        ended_at=delivery.ended_at,
        attempts=[_attempt(each) for each in attempts if _is_of(each, delivery)],
        links={
            "job": f"/v1/jobs/{delivery.job_id}",
            "replay": f"/v1/deliveries/{delivery.id}/replay",
        },
    )


def _is_of(attempt: Attempt, delivery: Delivery) -> bool:
    return attempt.delivery_id == delivery.id


def _attempt(attempt: Attempt) -> AttemptDocument:
    return AttemptDocument(
        number=attempt.number,
        at=attempt.at,
        status=attempt.status,
        ms=attempt.ms,
        error=attempt.error,
        body=attempt.body,
    )


def _not_found(delivery_id: str) -> DeliveryNotFound:
    return DeliveryNotFound(f"There is no delivery {delivery_id:.64}.")
