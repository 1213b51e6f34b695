"""Jobs after they were submitted: read, watch, list, start, stop, erase, retry."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response

from pixtools.api import documents, events, pages
from pixtools.api.deps import (
    AskerDep,
    House,
    HouseDep,
    ServiceDep,
    TenantDep,
    house_of,
    tenant as tenant_of,
)
from pixtools.api.idempotency import identified
from pixtools.api.placing import taken
from pixtools.api.refusals import ONE_JOB, SOURCES, refusals
from pixtools.api.schemas import JobList
from pixtools.api.standing import HoldsDep
from pixtools.api.watching import wait_until
from pixtools.domain.document import JobDocument
from pixtools.domain.errors import JobNotFound
from pixtools.domain.events import Event, ending
from pixtools.domain.ids import is_id
from pixtools.domain.job import Job, JobStatus
from pixtools.jobs.cancel import cancel
from pixtools.jobs.erase import erase
from pixtools.jobs.ports.facts import JobQuery
from pixtools.jobs.read import document, events_after, get_job, list_jobs
from pixtools.jobs.retry import retry
from pixtools.jobs.service import Service
from pixtools.jobs.start import start
from pixtools.jobs.webhooks import is_over

router = APIRouter(prefix="/v1", tags=["jobs"])
EVENT_STREAM: dict[str, Any] = {
    "description": (
        "`retry: 3000`, then a `snapshot` (or, after `Last-Event-ID`, what happened "
        "since), then `status`, `output`, `progress`, `archive` and `webhook` as they "
        "happen, last `done`. Every `data` line is the whole document; `id` resumes."
    ),
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}
NOTHING_NEW = {"description": "The stream is done: do not reconnect."}


async def job_id(
    job_id: Annotated[str, Path(description="The job's id, a UUID.")],
) -> str:
    """An id that may be looked up; anything else names no job."""
    if not is_id(job_id):
        raise JobNotFound
    return job_id


JobId = Annotated[str, Depends(job_id)]


@router.get("/jobs", response_model=JobList, responses=refusals("invalid_request"))
def list_all_jobs(
    request: Request,
    service: ServiceDep,
    tenant: TenantDep,
    status: Annotated[JobStatus | None, Query(description="Only these.")] = None,
    batch_id: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=pages.MAX_LIMIT)] = pages.DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """List your jobs, newest first."""
    query = JobQuery(
        tenant=tenant,
        status=status,
        batch_id=batch_id,
        limit=limit,
        cursor=pages.job_before(cursor) if cursor else None,
    )
    page = list_jobs(service, query)
    following = page.next_cursor and pages.cursor_after(page.next_cursor)
    listed = JobList.model_construct(
        data=[document(service, job) for job in page.jobs],
        has_more=following is not None,
        next_cursor=following,
    )
    headers = {"Cache-Control": "no-store"}
    if following:
        headers["Link"] = pages.link_next(request, following)
    body = listed.model_dump_json()
    return Response(body, headers=headers, media_type="application/json")


@router.get(
    "/jobs/{job_id}",
    response_model=JobDocument,
    responses={
        304: {"description": "Unchanged since the document with this ETag."},
        **refusals("invalid_request", *ONE_JOB),
    },
)
async def get_one_job(
    request: Request,
    job_id: JobId,
    wait: Annotated[
        float,
        Query(
            ge=0,
            le=30,
            allow_inf_nan=False,
            description="Seconds to hold the answer until the job has ended, or, "
            "with If-None-Match, until it has changed.",
        ),
    ] = 0,
) -> Response:
    """Read a job. Its links to files have at least seven eighths of their life left."""
    house = house_of(request)
    read = partial(get_job, house.service, await tenant_of(request), job_id)
    shown = partial(_shown, request, house)
    if "if-none-match" in request.headers:
        return await wait_until(house, job_id, lambda: shown(read()), _is_changed, wait)

    def look() -> tuple[Job, Response | None]:
        job = read()
        return job, shown(job) if job.settled or not wait else None

    # All that comes before the end would wake a client only to let it wait again.
    job, answer = await wait_until(
        house, ending(job_id), look, lambda found: found[0].settled, wait
    )
    return await to_thread.run_sync(shown, job) if answer is None else answer


@router.get(
    "/jobs/{job_id}/events",
    response_class=Response,
    responses={200: EVENT_STREAM, 204: NOTHING_NEW, **refusals(*ONE_JOB)},
)
async def watch_job(
    house: HouseDep,
    tenant: TenantDep,
    job_id: JobId,
    holds: HoldsDep,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Watch a job, as Server-Sent Events."""
    look = partial(_look, house.service, tenant, job_id)
    seen = events.last_event_id(last_event_id)
    threads = house.threads.watching
    first = await to_thread.run_sync(look, None, seen or 0, limiter=threads)
    if seen is not None and (first is None or _has_heard_all(first, seen)):
        return Response(status_code=204)
    return events.stream(house, job_id, look, seen, holds)


@router.post(
    "/jobs/{job_id}/start",
    status_code=202,
    response_model=JobDocument,
    responses=refusals(
        *ONE_JOB,
        *SOURCES,
        "upload_missing",
        "upload_mismatch",
        "job_conflict",
        "invalid_pipeline",
        "queue_full",
        "tenant_share_exceeded",
        "rate_limited",
        "storage_unavailable",
    ),
)
async def start_job(house: HouseDep, tenant: TenantDep, job_id: JobId) -> Response:
    """Check the uploaded photo and queue the job. Twice is as good as once."""

    def begun() -> Response:
        submitted = start(house.service, tenant, job_id)
        headers = {"Location": f"/v1/jobs/{submitted.job.id}"}
        return documents.answer(document(house.service, submitted.job), 202, headers)

    await house.check_store()
    return await to_thread.run_sync(begun, limiter=house.threads.errands)


@router.post(
    "/jobs/{job_id}/cancel",
    status_code=202,
    response_model=JobDocument,
    responses=refusals(*ONE_JOB, "rate_limited"),
)
def cancel_job(service: ServiceDep, tenant: TenantDep, job_id: JobId) -> Response:
    """Stop a job, also in the middle of an encode. A job that has ended stays so."""
    return documents.answer(document(service, cancel(service, tenant, job_id)), 202)


@router.delete(
    "/jobs/{job_id}",
    status_code=204,
    responses=refusals(*ONE_JOB, "rate_limited", "storage_unavailable"),
)
async def delete_job(house: HouseDep, tenant: TenantDep, job_id: JobId) -> Response:
    """Stop a job and erase it with all its files."""
    erased = partial(erase, house.service, tenant, job_id)
    await to_thread.run_sync(erased, limiter=house.threads.errands)
    return Response(status_code=204)


@router.post(
    "/jobs/{job_id}/retry",
    status_code=202,
    response_model=JobDocument,
    responses=refusals(
        *ONE_JOB,
        "job_conflict",
        "source_missing",
        "invalid_idempotency_key",
        "idempotency_mismatch",
        "idempotency_in_flight",
        "queue_full",
        "tenant_share_exceeded",
        "rate_limited",
        "storage_unavailable",
    ),
)
async def retry_job(
    request: Request, house: HouseDep, asker: AskerDep, job_id: JobId
) -> Response:
    """Run the failed outputs again, as a new job: Location leads to it."""
    key = identified(request, {"job_id": job_id})

    def again() -> Response:
        submitted = retry(
            house.service,
            asker.tenant,
            job_id,
            idempotency=key,
            request_id=asker.request_id,
            traceparent=asker.traceparent,
        )
        return taken(house.service, submitted, 202)

    await house.check_store()
    return await to_thread.run_sync(again, limiter=house.threads.errands)


def _shown(request: Request, house: House, job: Job) -> Response:
    """The answer that shows a job, or says that the client has seen it so."""
    shown, now = document(house.service, job), house.service.clock.now()
    tag = documents.etag(shown, now, house.config.link_period)
    if documents.not_modified(request, tag):
        return Response(status_code=304, headers={"ETag": tag})
    # A cache may keep it, but must ask each time: that is what the tag is for.
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    return documents.answer(shown, headers=headers)


def _is_changed(answer: Response) -> bool:
    return answer.status_code != 304


def _look(
    service: Service, tenant: str, job_id: str, mark: object, seen: int
) -> events.Moment | None:
    job = get_job(service, tenant, job_id)
    now = service.clock.now()
    if (job.version, job.progress, is_over(job, now)) == mark:
        return None
    job, news = _at_one_moment(service, tenant, job, seen)
    return events.Moment(
        mark=(job.version, job.progress, is_over(job, now)),
        over=is_over(job, now),
        seq=job.version,
        document=document(service, job),
        news=[(event.seq, event.kind) for event in news],
    )


def _at_one_moment(
    service: Service, tenant: str, job: Job, seen: int
) -> tuple[Job, Sequence[Event]]:
    """A job with its events: neither knows of anything that the other does not.

    What is settled in between would be told as `done` before its last events.
    """
    while True:
        news = events_after(service, tenant, job.id, seen)
        before, job = job, get_job(service, tenant, job.id)
        if job.version == before.version:
            return job, news


def _has_heard_all(moment: events.Moment, seen: int) -> bool:
    return moment.over and not moment.news and seen > 0
