"""What clients were told, telling it again, and what it is signed with."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from pixtools.api.deps import ServiceDep, TenantDep
from pixtools.api.refusals import ONE_JOB, refusals
from pixtools.api.routers.jobs import JobId
from pixtools.api.webhook_documents import (
    DeliveryList,
    NewSigningSecret,
    SigningSecrets,
    SigningSecretTimes,
)
from pixtools.domain.document import DeliveryDocument
from pixtools.jobs.deliveries import deliveries_of, replay
from pixtools.jobs.signing import live_secrets, rotate

router = APIRouter(prefix="/v1", tags=["webhooks"])
NO_STORE = {"Cache-Control": "no-store"}


@router.get(
    "/jobs/{job_id}/deliveries",
    response_model=DeliveryList,
    responses=refusals(*ONE_JOB),
)
def list_deliveries(service: ServiceDep, tenant: TenantDep, job_id: JobId) -> Response:
    """List what a job's webhook was sent: every attempt, its answer, its time."""
    found = deliveries_of(service, tenant, job_id)
    return _said(DeliveryList(data=list(found)).model_dump_json())


@router.post(
    "/deliveries/{delivery_id}/replay",
    status_code=202,
    response_model=DeliveryDocument,
    responses=refusals("delivery_not_found", *ONE_JOB, "rate_limited"),
)
def replay_delivery(
    service: ServiceDep,
    tenant: TenantDep,
    delivery_id: Annotated[str, Path(description="The delivery's id, a UUID.")],
) -> Response:
    """Send an event again, now, under the same `webhook-id`; no pixel is made anew."""
    again = replay(service, tenant, delivery_id)
    return _said(again.model_dump_json(), 202)


@router.get(
    "/webhook-secrets",
    response_model=SigningSecrets,
    responses=refusals("configuration_invalid"),
)
def list_signing_secrets(service: ServiceDep, tenant: TenantDep) -> Response:
    """List since when and until when your signing secrets are used, not themselves."""
    found = [
        SigningSecretTimes(created_at=each.created_at, retires_at=each.retires_at)
        for each in live_secrets(service, tenant)
    ]
    return _said(SigningSecrets(data=found).model_dump_json())


@router.post(
    "/webhook-secrets",
    status_code=201,
    response_model=NewSigningSecret,
    responses=refusals("secret_fixed", "configuration_invalid", "rate_limited"),
)
def rotate_signing_secret(service: ServiceDep, tenant: TenantDep) -> Response:
    """Make a new signing secret. For a day the one before it signs, too."""
    made = rotate(service, tenant)
    before = live_secrets(service, tenant)[1:]
    until = before[0].retires_at if before else None
    answer = NewSigningSecret(secret=made.secret, replaced_until=until)
    return _said(answer.model_dump_json(), 201)


def _said(body: str, status: int = 200) -> Response:
    return Response(body, status, NO_STORE, media_type="application/json")
