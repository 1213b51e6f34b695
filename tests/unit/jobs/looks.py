"""Looking into a house from a test."""

from __future__ import annotations

from pixtools.domain.document import JobDocument
from pixtools.domain.job import Job, Stage
from pixtools.domain.webhook import Delivery
from pixtools.jobs.ports.work import Checkpoint
from pixtools.jobs.read import document, events_after
from pixtools.testing.house import House


def stage_of(house: House, job: Job) -> Stage:
    with house.database.read() as tx:
        return tx.stages.of_job(job.id)[0]


def shown(house: House, job: Job) -> JobDocument:
    return document(house.service, house.job(job.id))


def told(house: House, job: Job) -> list[tuple[str, str | None]]:
    events = events_after(house.service, "default", job.id, 0)
    assert [event.seq for event in events] == sorted({event.seq for event in events})
    return [(event.kind, event.subject) for event in events]


def raising(house: House, *errors: BaseException) -> None:
    """Let the next renders raise, one error each, and the ones after them work."""
    waiting = list(errors)

    def trouble(checkpoint: Checkpoint) -> None:
        if waiting:
            raise waiting.pop(0)

    house.renderer.trouble = trouble


def deliveries(house: House, job_id: str) -> list[Delivery]:
    """What a job tells its client."""
    with house.database.read() as tx:
        return list(tx.deliveries.of_job(job_id))
