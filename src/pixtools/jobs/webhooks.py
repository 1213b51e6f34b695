"""The event that a job's end is, written in the transaction that ends it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from pixtools.domain.document import WebhookEvent
from pixtools.domain.job import Job, JobStatus
from pixtools.domain.webhook import Delivery, EventType, Webhook, host_of
from pixtools.jobs.change import Change
from pixtools.jobs.documents import described
from pixtools.jobs.links import AbsoluteLinks
from pixtools.jobs.service import Service

PATIENCE: Final = timedelta(seconds=30)
ENDS: Final[dict[JobStatus, EventType]] = {
    "succeeded": "job.succeeded",
    "partial": "job.partial",
    "failed": "job.failed",
    "canceled": "job.canceled",
}


def ended(service: Service, made: Change, job: Job) -> None:
    """Keep the event of a job that has just ended, for whoever tells its client.

    It goes out at once, or, where an archive is being packed, when that is done, so
    that the client reads of the archive, too; it is not waited for much longer.
    """
    if job.webhook_url is None:
        return
    pause = service.rules.webhooks.grace if not job.settled else None
    delivery = Delivery(
        id=service.ids.new(),
        job_id=job.id,
        tenant=job.tenant,
        event=ENDS[job.status],
        url=job.webhook_url,
        host=host_of(job.webhook_url),
        body=_body(service, job),
        run_at=made.now + pause if pause else made.now,
        created_at=made.now,
    )
    made.tx.deliveries.add(delivery)
    made.deliver()


def settled(service: Service, made: Change, job: Job) -> None:
    """Let an event that nobody was told of yet tell of the archive, and go out."""
    if job.webhook_url is None:
        return
    for delivery in made.tx.deliveries.of_job(job.id, lock=True):
        if delivery.state == "pending" and not delivery.attempt:
            told = replace(delivery, body=_body(service, job), run_at=made.now)
            made.tx.deliveries.save(told)
            made.deliver()


def is_over(job: Job, now: datetime) -> bool:
    """Whether who watches a job need wait no more: not for files, nor for first words.

    What becomes of later attempts is read, not waited for; nor is a receiver, or
    whoever should tell it, that never comes to a first one.
    """
    if not job.settled or not is_untold(job):
        return job.settled
    return job.finished_at is None or now - job.finished_at > PATIENCE


def is_untold(job: Job) -> bool:
    """Whether a client who wants to be told has not been tried yet."""
    return job.webhook_url is not None and not (job.webhook and job.webhook.attempts)


def _body(service: Service, job: Job) -> str:
    webhook = job.webhook or Webhook()
    links = AbsoluteLinks(service.links, webhook.base)
    event = WebhookEvent(
        type=ENDS[job.status],
        timestamp=job.finished_at or job.created_at,
        data=described(links, job, None),
    )
    return event.model_dump_json()
