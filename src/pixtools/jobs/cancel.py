"""Stopping a job: at once where it waits, by asking where it runs."""

from __future__ import annotations

from dataclasses import replace

from pixtools.domain.errors import JobNotFound
from pixtools.domain.job import Job
from pixtools.jobs.advance import end_waiting
from pixtools.jobs.change import change
from pixtools.jobs.read import get_job
from pixtools.jobs.service import Service


def cancel(service: Service, tenant: str, job_id: str) -> Job:
    """Stop a job that has not ended; idempotent, and nothing for one that has.

    Stages that wait end now. One that runs notices within about a second; then the
    job is `canceled`, even if the stage was just done. Raises JobNotFound, JobExpired.
    """
    get_job(service, tenant, job_id)
    with change(service) as made:
        made.tx.stages.of_job(job_id, lock=True)
        locked = made.tx.jobs.get(job_id, lock=True)
        if locked is None:
            raise JobNotFound
        if locked.terminal or locked.cancel_requested_at is not None:
            return locked
        asked = replace(locked, cancel_requested_at=made.now, expires_at=None)
        return end_waiting(service, made, asked)
