"""Signing in with a browser: a key is sent once, then a cookie that no page reads."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Request, Response

from pixtools.api import bodies
from pixtools.api.credentials import is_foreign, set_cookie
from pixtools.api.deps import CallerDep, House, HouseDep
from pixtools.api.refusals import READS_A_BODY, refusals
from pixtools.api.schemas import SessionDocument
from pixtools.api.uploads import wrong
from pixtools.domain.errors import (
    CredentialsInvalid,
    CredentialsMissing,
    CrossSiteRequest,
)
from pixtools.domain.identity import SCOPES, Identity

MOST_BYTES = 16 * 1024
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/SignIn"}}
        },
    }
}
REFUSED = (
    "credentials_invalid",
    "cross_site_request",
    "host_unknown",
    "rate_limited",
)
NOTED = {"Cache-Control": "no-store"}

router = APIRouter(prefix="/v1", tags=["identity"])


@router.get(
    "/session",
    response_model=SessionDocument,
    responses=refusals("host_unknown", "rate_limited", "issuer_unavailable"),
)
async def show_session(caller: CallerDep) -> Response:
    """Say whether callers have to be known here, and as whom this one is."""
    if isinstance(caller.refusal, CredentialsMissing | CredentialsInvalid):
        return _told("required")
    if caller.refusal is not None:
        # A key would not help.
        raise caller.refusal
    who = Identity(tenant=caller.tenant, scopes=caller.scopes)
    return _told("required" if caller.authenticated else "off", who)


@router.post(
    "/session",
    response_model=SessionDocument,
    openapi_extra=BODY,
    responses=refusals(*READS_A_BODY, *REFUSED),
)
async def sign_in(request: Request, house: HouseDep, caller: CallerDep) -> Response:
    """Sign a browser in with an API key: the answer sets a cookie.

    The cookie is HttpOnly and SameSite=Strict, good for SESSION_HOURS, and ends with
    its key. Programs need none: they send their key with each request.
    """
    _refuse_pages_of_others(request, house)
    idle = house.config.idle_timeout
    key = _key_of(await bodies.read_json(request, MOST_BYTES, idle))
    gate = house.callers.gate
    if gate is None or not await house.callers.is_closed():
        if caller.refusal is not None:
            raise caller.refusal
        return _told("off", Identity(tenant=caller.tenant))
    house.callers.sign_ins.check(caller.network)
    try:
        who, value, life = await to_thread.run_sync(
            partial(gate.sign_in, key), limiter=house.threads.gating
        )
    except CredentialsInvalid:
        await house.callers.wrong(request, caller.network)
        raise
    answer = _told("required", who)
    set_cookie(answer, house.base, value, life)
    return answer


@router.delete(
    "/session",
    status_code=204,
    responses=refusals("cross_site_request", "rate_limited"),
)
async def sign_out(request: Request, house: HouseDep) -> Response:
    """Have the browser forget that it signed in."""
    _refuse_pages_of_others(request, house)
    answer = Response(status_code=204, headers=NOTED)
    set_cookie(answer, house.base, "", 0)
    return answer


def _refuse_pages_of_others(request: Request, house: House) -> None:
    """Nobody is signed in, or out, by a page that is not ours."""
    if is_foreign(request, house.base, proven=False):
        raise CrossSiteRequest


def _key_of(body: object) -> str:
    """The key in a body; no refusal repeats any of it."""
    key = body.get("key") if isinstance(body, dict) and len(body) == 1 else None
    if not isinstance(key, str) or not key.strip():
        raise wrong("/key", 'Expected {"key": "…"} with an API key.')
    return key.strip()


def _told(
    authentication: Literal["off", "required"], who: Identity | None = None
) -> Response:
    shown = SessionDocument(
        authentication=authentication,
        tenant=who.tenant if who else None,
        scopes=[scope for scope in SCOPES if who and scope in who.scopes],
    )
    return Response(
        shown.model_dump_json(), headers=NOTED, media_type="application/json"
    )
