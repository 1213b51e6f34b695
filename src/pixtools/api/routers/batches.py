"""Batches: jobs submitted together, one progress, one ZIP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Header, Path, Request, Response
from starlette.exceptions import HTTPException

from pixtools.api import (
    bodies,
    destinations,
    documents,
    events,
    gathering,
    uploads,
    wishes,
)
from pixtools.api.deps import Asker, AskerDep, House, HouseDep, ServiceDep, TenantDep
from pixtools.api.idempotency import identified, key_of
from pixtools.api.placing import moves
from pixtools.api.refusals import READS_A_BODY, SOURCES, TAKES_WORK, refusals
from pixtools.api.routers.jobs import EVENT_STREAM, NOTHING_NEW
from pixtools.api.schemas import NEW_BATCH, NewBatch, NewBatchDocument
from pixtools.api.standing import HoldsDep
from pixtools.domain.document import BatchDocument
from pixtools.domain.errors import BatchNotFound
from pixtools.domain.ids import is_id
from pixtools.jobs.batch import close_batch
from pixtools.jobs.read import batch_document, get_batch
from pixtools.jobs.service import Service
from pixtools.jobs.submit import admit

BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/NewBatch"}},
            "multipart/form-data": {
                "schema": {"$ref": "#/components/schemas/BatchForm"},
                "encoding": {
                    "pipeline": {"contentType": "application/json"},
                    "metadata": {"contentType": "application/json"},
                },
            },
        },
    }
}

router = APIRouter(prefix="/v1", tags=["batches"])


async def batch_id(
    batch_id: Annotated[str, Path(description="The batch's id, a UUID.")],
) -> str:
    """An id that may be looked up; anything else names no batch."""
    if not is_id(batch_id):
        raise BatchNotFound
    return batch_id


BatchId = Annotated[str, Depends(batch_id)]


@router.post(
    "/batches",
    status_code=201,
    response_model=NewBatchDocument,
    openapi_extra=BODY,
    responses={
        201: {"description": "The batch, with the jobs that it begins with."},
        **refusals(*READS_A_BODY, *TAKES_WORK, *SOURCES, "source_missing"),
    },
)
async def create_batch(request: Request, house: HouseDep, asker: AskerDep) -> Response:
    """Make a batch.

    With `application/json`: empty (`{}`) it stays open, and jobs join it by their
    `batch_id` until it is closed; with `jobs` it is closed unless `closed` is false.
    With `multipart/form-data`: any number of `file` fields, one wish for all.
    The batch's ZIP is made when it is closed and all its jobs have ended.
    All jobs are taken, or none. An `Idempotency-Key` covers the jobs that come with
    the request; an empty batch has nothing to do twice.
    """
    key = key_of(request)
    first = gathering.part_of(key) if key else None
    await to_thread.run_sync(admit, house.service, asker.tenant, first)
    match bodies.media_type(request):
        case "multipart/form-data":
            return await _of_photos(request, house, asker)
        case "application/json":
            return await _of_orders(request, house, asker)
        case other:
            text = "Expected application/json or multipart/form-data"
            raise HTTPException(415, f"{text} but received {other or 'neither'}.")


@router.get(
    "/batches/{batch_id}",
    response_model=BatchDocument,
    responses={
        304: {"description": "Unchanged since the document with this ETag."},
        **refusals("batch_not_found"),
    },
)
def get_one_batch(
    request: Request, house: HouseDep, tenant: TenantDep, batch_id: BatchId
) -> Response:
    """Read a batch with all its jobs."""
    service = house.service
    shown = batch_document(service, *get_batch(service, tenant, batch_id))
    tag = documents.etag(shown, service.clock.now(), house.config.link_period)
    if documents.not_modified(request, tag):
        return Response(status_code=304, headers={"ETag": tag})
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    return documents.answer(shown, headers=headers)


@router.get(
    "/batches/{batch_id}/events",
    response_class=Response,
    responses={200: EVENT_STREAM, 204: NOTHING_NEW, **refusals("batch_not_found")},
)
async def watch_batch(
    house: HouseDep,
    tenant: TenantDep,
    batch_id: BatchId,
    holds: HoldsDep,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Watch a batch, as Server-Sent Events."""
    look = partial(_look, house.service, tenant, batch_id)
    first = await to_thread.run_sync(look, None, 0, limiter=house.threads.watching)
    seen = events.last_event_id(last_event_id)
    if seen and first and seen >= first.seq and documents.settled(first.document):
        return Response(status_code=204)
    return events.stream(house, batch_id, look, None, holds)


@router.post(
    "/batches/{batch_id}/close",
    status_code=202,
    response_model=BatchDocument,
    responses=refusals("batch_not_found", "rate_limited"),
)
def end_batch(service: ServiceDep, tenant: TenantDep, batch_id: BatchId) -> Response:
    """Say that no more jobs will join: the ZIP is made when all have ended."""
    batch = close_batch(service, tenant, batch_id)
    _, jobs = get_batch(service, tenant, batch.id)
    return documents.answer(batch_document(service, batch, jobs), 202)


async def _of_orders(request: Request, house: House, asker: Asker) -> Response:
    config = house.config
    body = await bodies.read_json(request, config.max_json_bytes, config.idle_timeout)
    key = identified(request, body)
    new = bodies.checked(NEW_BATCH, body)
    if any(map(moves, new.jobs)):
        await house.check_store()
    gather = partial(
        gathering.gather,
        parts=gathering.of_orders(house, asker, new.jobs, key),
        archive=new.archive,
        closed=bool(new.jobs) if new.closed is None else new.closed,
    )
    first = gathering.part_of(key.key) if key else None
    await destinations.look_at(house, asker, first, _given(house, new))
    return await _in_turn(gather, house, asker)


def _given(house: House, new: NewBatch) -> Iterator[destinations.Given]:
    for index, job in enumerate(new.jobs):
        at = f"/jobs/{index}"
        yield from destinations.of_webhook(house, job.webhook_url, at)
        yield from destinations.of_source(house, job.url, at)


async def _of_photos(request: Request, house: House, asker: Asker) -> Response:
    rules = uploads.FormRules(
        fields=(wishes.FORM_FIELDS - {"batch_id"}) | {"closed"},
        max_files=house.config.max_batch_files,
    )
    async with uploads.receive(request, house, asker, rules) as form:
        key = identified(request, form.fingerprinted())
        closed = wishes.switch("closed", form.fields.pop("closed", "true"))
        order = wishes.order(house, asker, wishes.wish_of_form(form.fields), key)
        given = destinations.of_webhook(house, order.webhook_url)
        first = gathering.part_of(key.key) if key else None
        await destinations.look_at(house, asker, first, given)
        gather = partial(
            gathering.gather,
            parts=gathering.of_photos(house.service, order, form.files),
            archive=order.archive,
            closed=closed,
        )
        return await _in_turn(gather, house, asker)


async def _in_turn(
    gather: Callable[[Service, str], Response], house: House, asker: Asker
) -> Response:
    threads = house.threads.errands
    return await to_thread.run_sync(
        gather, house.service, asker.tenant, limiter=threads
    )


def _look(
    service: Service, tenant: str, batch_id: str, mark: object, _seen: int
) -> events.Moment | None:
    batch, jobs = get_batch(service, tenant, batch_id)
    now = (batch.version, *((job.id, job.version, job.progress) for job in jobs))
    if now == mark:
        return None
    shown = batch_document(service, batch, jobs)
    seq = batch.version + sum(job.version for job in jobs)
    over = documents.settled(shown)
    return events.Moment(mark=now, seq=seq, document=shown, over=over)
