"""The PixTools face: POST /api/process and GET /api/jobs/{id}."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Path, Request, Response

from pixtools.api import classic, destinations, uploads
from pixtools.api.deps import AskerDep, HouseDep, ServiceDep, TenantDep
from pixtools.api.idempotency import REPLAYED, identified, key_of
from pixtools.api.refusals import READS_A_BODY, SOURCES, TAKES_WORK, refusals
from pixtools.api.webhooks import checked_url
from pixtools.domain.errors import JobNotFound, UploadTooLarge
from pixtools.jobs.read import document, get_job
from pixtools.jobs.submit import Order, admit, submit_upload

# Clients of this face may send fields that only other deployments know.
FORM = uploads.FormRules(fields=None)
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {"$ref": "#/components/schemas/ClassicForm"}
            }
        },
    }
}

router = APIRouter(prefix="/api", tags=["pixtools"])


@router.post(
    "/process",
    status_code=202,
    response_model=classic.Accepted,
    openapi_extra=BODY,
    responses={
        202: {"description": "The photo was taken in; poll /api/jobs/{job_id}."},
        **refusals(*READS_A_BODY, *TAKES_WORK, *SOURCES),
    },
)
async def process_photo(request: Request, house: HouseDep, asker: AskerDep) -> Response:
    """Send a photo and name the operations: each makes one output."""
    await to_thread.run_sync(admit, house.service, asker.tenant, key_of(request))
    try:
        async with uploads.receive(request, house, asker, FORM) as form:
            pipeline = classic.parse_pipeline(
                form.fields.get("operations"),
                form.fields.get("operation_params"),
                house.service.rules.limits.max_steps,
            )
            classic.check_offered(pipeline, house.service.rules.capabilities)
            file = form.files[0]
            classic.check_conversions(pipeline, file.received.header.format)
            saying = "webhook_url must be a valid http(s) URL"
            order = Order(
                tenant=asker.tenant,
                face="api",
                pipeline=pipeline,
                webhook_url=checked_url(form.fields.get("webhook_url"), saying),
                webhook_base=house.base,
                request_id=asker.request_id,
                traceparent=asker.traceparent,
                idempotency=identified(request, form.fingerprinted()),
            )
            given = destinations.of_webhook(house, order.webhook_url)
            await destinations.look_at(house, asker, key_of(request), given)
            submit = partial(submit_upload, filename=file.filename)
            submitted = await to_thread.run_sync(
                submit, house.service, order, file.intake
            )
    except UploadTooLarge:
        raise UploadTooLarge(
            _too_large(house.service.rules.limits.max_upload_bytes)
        ) from None
    accepted = classic.Accepted(job_id=submitted.job.id)
    headers = {"Location": f"/api/jobs/{submitted.job.id}", "Cache-Control": "no-store"}
    if submitted.replayed:
        headers |= REPLAYED
    return Response(
        accepted.model_dump_json(), 202, headers, media_type="application/json"
    )


@router.get(
    "/jobs/{job_id}",
    response_model=classic.ClassicJob,
    responses=refusals("invalid_request", "job_not_found", "job_expired"),
)
def get_classic_job(
    service: ServiceDep,
    tenant: TenantDep,
    job_id: Annotated[UUID, Path(description="The job's id.")],
) -> Response:
    """Read a job: its status, and a fresh link for each output that is ready."""
    try:
        job = get_job(service, tenant, str(job_id))
    except JobNotFound:
        raise JobNotFound(f"Job {job_id} not found") from None
    shown = classic.shown(job, document(service, job))
    return Response(
        shown.model_dump_json(),
        headers={"Cache-Control": "no-store"},
        media_type="application/json",
    )


def _too_large(most: int) -> str:
    """This face's own words: whole megabytes where the limit is whole."""
    mib = 1024 * 1024
    limit = f"{most // mib}MB" if most % mib == 0 else f"{most} bytes"
    return f"File exceeds {limit} limit"
