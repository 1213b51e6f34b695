"""POST /v1/jobs: a photo with a wish, or a wish for a photo that comes later."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Final

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response
from starlette.exceptions import HTTPException

from pixtools.api import bodies, destinations, uploads, wishes
from pixtools.api.deps import Asker, House, asker as asker_of, house_of
from pixtools.api.forecasts import DryRunDocument, foreseen
from pixtools.api.idempotency import identified, key_of
from pixtools.api.placing import moves, place, seen, taken
from pixtools.api.refusals import READS_A_BODY, SOURCES, TAKES_WORK, refusals
from pixtools.api.schemas import NEW_JOB, AnnouncedJob, NewJob
from pixtools.api.wishes import FORM_FIELDS
from pixtools.domain.document import JobDocument
from pixtools.jobs.aside import set_aside
from pixtools.jobs.photos import stored_source
from pixtools.jobs.service import Service
from pixtools.jobs.submit import Order, admit, submit_upload

DRY_RUN: Final = "Only tell what the job would cost and make; store nothing."
FORM = uploads.FormRules(fields=FORM_FIELDS)
ASIDE = replace(FORM, stored=False)
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {"$ref": "#/components/schemas/UploadForm"},
                "encoding": {
                    "pipeline": {"contentType": "application/json"},
                    "metadata": {"contentType": "application/json"},
                },
            },
            "application/json": {"schema": {"$ref": "#/components/schemas/NewJob"}},
        },
    }
}

router = APIRouter(prefix="/v1", tags=["jobs"])


@router.post(
    "/jobs",
    status_code=202,
    response_model=JobDocument,
    openapi_extra=BODY,
    responses={
        200: {
            "model": DryRunDocument,
            "description": "What the job would cost and make (dry_run).",
        },
        201: {
            "model": AnnouncedJob,
            "description": "The job waits for its upload (source_type s3_presigned).",
        },
        202: {"description": "The job is queued; Location leads to it."},
        **refusals(
            *READS_A_BODY,
            *TAKES_WORK,
            *SOURCES,
            "batch_not_found",
            "job_conflict",
            "source_missing",
        ),
    },
)
async def create_job(
    request: Request,
    dry_run: Annotated[bool, Query(description=DRY_RUN)] = False,
) -> Response:
    """Submit a photo.

    As `multipart/form-data` the photo comes with the request and is queued at once.
    As `application/json` the photo comes later (`s3_presigned`: PUT it to
    `upload.presigned_put_url`, then POST to `start_url`), or rests where the server
    can read it (`object`, `local_file`), or is fetched by a worker (`url`).

    With an `Idempotency-Key` header the same request is carried out once, however
    often it is sent within a day.

    With `dry_run=true` nothing is stored or queued: the answer tells the cost, the
    plan and how near the job is to the limits. What is wrong with the request is told
    as ever; a full queue and an `Idempotency-Key` do not matter.
    """
    house, asker = house_of(request), await asker_of(request)
    if dry_run:
        return await _rehearsed(request, house, asker)
    await to_thread.run_sync(admit, house.service, asker.tenant, key_of(request))
    if _brings_a_photo(request):
        return await _with_photo(request, house, asker)
    return await _without_photo(request, house, asker)


async def _rehearsed(request: Request, house: House, asker: Asker) -> Response:
    if _brings_a_photo(request):
        return await _foreseen_with_photo(request, house, asker)
    new = bodies.checked(NEW_JOB, await _json(request, house))
    order = wishes.order(house, asker, new)
    await _look_at_addresses(request, house, asker, order, new.url)
    if new.source_type == "object":
        await house.check_store()

    def told() -> Response:
        return foreseen(house.service, order, seen(house.service, order, new))

    return await to_thread.run_sync(told, limiter=house.threads.errands)


async def _foreseen_with_photo(
    request: Request, house: House, asker: Asker
) -> Response:
    """The photo lies in scratch while its form is read; then it is gone."""
    aside = replace(house, service=set_aside(house.service))
    async with uploads.receive(request, aside, asker, ASIDE) as form:
        order = wishes.order(house, asker, wishes.wish_of_form(form.fields))
        await _look_at_addresses(request, house, asker, order)
        (file,) = form.files

        def told() -> Response:
            source = stored_source("upload", file.received, file.filename)
            try:
                return foreseen(house.service, order, source)
            finally:
                file.intake.abort()

        return await to_thread.run_sync(told, limiter=house.threads.errands)


def _brings_a_photo(request: Request) -> bool:
    """Whether it is a form; raises HTTPException for what is neither that nor JSON."""
    kind = bodies.media_type(request)
    if kind not in ("multipart/form-data", "application/json"):
        text = "Expected multipart/form-data or application/json"
        raise HTTPException(415, f"{text} but received {kind or 'neither'}.")
    return kind == "multipart/form-data"


async def _with_photo(request: Request, house: House, asker: Asker) -> Response:
    async with uploads.arriving(request, house, asker, FORM) as desk:
        tried = partial(_submitted_at_once, request, house, asker)
        order, answer = await desk.whole(tried)
        if answer is None:
            await _look_at_addresses(request, house, asker, order)
            (file,) = desk.form.files
            answer = await to_thread.run_sync(_submit, house.service, order, file)
        return answer


def _submitted_at_once(
    request: Request, house: House, asker: Asker, form: uploads.Form
) -> tuple[Order, Response | None]:
    """The order with its answer; None if there is an address to be looked at first."""
    key = identified(request, form.fingerprinted())
    order = wishes.order(house, asker, wishes.wish_of_form(form.fields), key)
    if destinations.of_webhook(house, order.webhook_url):
        return order, None
    return order, _submit(house.service, order, form.files[0])


def _submit(service: Service, order: Order, file: uploads.ReceivedFile) -> Response:
    submitted = submit_upload(
        service,
        order,
        file.intake,
        filename=file.filename,
    )
    return taken(service, submitted)


async def _without_photo(request: Request, house: House, asker: Asker) -> Response:
    body = await _json(request, house)
    key = identified(request, body)
    new = bodies.checked(NEW_JOB, body)
    order = wishes.order(house, asker, new, key)
    await _look_at_addresses(request, house, asker, order, new.url)
    threads = None
    if moves(new):
        await house.check_store()
        threads = house.threads.errands
    placed = partial(_placed, house.service, order, new)
    return await to_thread.run_sync(placed, limiter=threads)


async def _look_at_addresses(
    request: Request,
    house: House,
    asker: Asker,
    order: Order,
    url: str | None = None,
) -> None:
    given = destinations.of_webhook(house, order.webhook_url)
    given += destinations.of_source(house, url)
    await destinations.look_at(house, asker, key_of(request), given)


async def _json(request: Request, house: House) -> Any:  # noqa: ANN401 - JSON
    config = house.config
    return await bodies.read_json(request, config.max_json_bytes, config.idle_timeout)


def _placed(service: Service, order: Order, new: NewJob) -> Response:
    return taken(service, place(service, order, new))
