"""POST /v1/jobs: a photo with a wish, or a wish for a photo that comes later."""

from __future__ import annotations

from functools import partial
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from pixtools.api import bodies, destinations, uploads, wishes
from pixtools.api.deps import Asker, AskerDep, House, HouseDep
from pixtools.api.idempotency import identified, key_of
from pixtools.api.placing import place, taken
from pixtools.api.refusals import READS_A_BODY, SOURCES, TAKES_WORK, refusals
from pixtools.api.schemas import NEW_JOB, AnnouncedJob, NewJob
from pixtools.api.wishes import FORM_FIELDS
from pixtools.domain.document import JobDocument
from pixtools.jobs.service import Service
from pixtools.jobs.submit import Order, admit, submit_upload

FORM = uploads.FormRules(fields=FORM_FIELDS)
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
async def create_job(request: Request, house: HouseDep, asker: AskerDep) -> Response:
    """Submit a photo.

    As `multipart/form-data` the photo comes with the request and is queued at once.
    As `application/json` the photo comes later (`s3_presigned`: PUT it to
    `upload.presigned_put_url`, then POST to `start_url`), or rests where the server
    can read it (`object`, `local_file`), or is fetched by a worker (`url`).

    With an `Idempotency-Key` header the same request is carried out once, however
    often it is sent within a day.
    """
    await to_thread.run_sync(admit, house.service, asker.tenant, key_of(request))
    match bodies.media_type(request):
        case "multipart/form-data":
            return await _with_photo(request, house, asker)
        case "application/json":
            return await _without_photo(request, house, asker)
        case other:
            text = "Expected multipart/form-data or application/json"
            raise HTTPException(415, f"{text} but received {other or 'neither'}.")


async def _with_photo(request: Request, house: House, asker: Asker) -> Response:
    async with uploads.receive(request, house, asker, FORM) as form:
        key = identified(request, form.fingerprinted())
        wish = wishes.wish_of_form(form.fields)
        order = wishes.order(house, asker, wish, key)
        given = destinations.of_webhook(house, order.webhook_url)
        await destinations.look_at(house, asker, key_of(request), given)
        return await to_thread.run_sync(_submit, house.service, order, form.files[0])


def _submit(service: Service, order: Order, file: uploads.ReceivedFile) -> Response:
    submitted = submit_upload(
        service,
        order,
        file.intake,
        filename=file.filename,
    )
    return taken(service, submitted)


async def _without_photo(request: Request, house: House, asker: Asker) -> Response:
    config = house.config
    body = await bodies.read_json(request, config.max_json_bytes, config.idle_timeout)
    key = identified(request, body)
    new = bodies.checked(NEW_JOB, body)
    order = wishes.order(house, asker, new, key)
    given = destinations.of_webhook(house, order.webhook_url)
    given += destinations.of_source(house, new.url)
    await destinations.look_at(house, asker, key_of(request), given)
    # What waits for its photo touches no object.
    moves = new.source_type in ("object", "local_file")
    threads = house.threads.errands if moves else None
    placed = partial(_placed, house.service, order, new)
    return await to_thread.run_sync(placed, limiter=threads)


def _placed(service: Service, order: Order, new: NewJob) -> Response:
    return taken(service, place(service, order, new))
