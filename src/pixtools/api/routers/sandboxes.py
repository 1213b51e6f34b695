"""A receiver of our own: see what a webhook would bring, and whether it verifies."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Annotated, Any

import anyio
from anyio import to_thread
from fastapi import APIRouter, Header, Path, Request, Response
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from pixtools.api import bodies, events
from pixtools.api.deps import House, HouseDep, TenantDep
from pixtools.api.refusals import refusals
from pixtools.api.snippets import snippets
from pixtools.api.standing import Holds, HoldsDep
from pixtools.api.webhook_documents import (
    NewSandbox,
    ReceiptDocument,
    Received,
    SandboxDocument,
)
from pixtools.domain.errors import PixtoolsError
from pixtools.domain.webhook import Receipt, Sandbox
from pixtools.jobs.sandbox import LARGEST, open_sandbox, receive, received

router = APIRouter(prefix="/v1/webhook-sandbox", tags=["webhooks"])
receiver = APIRouter(prefix="/v1/webhook-sandbox", tags=["webhooks"])
"""Where anyone may send: who knows the address has it from its tenant."""

SandboxId = Annotated[str, Path(description="The sandbox's id, a UUID.")]
STREAM: dict[str, Any] = {
    "description": "A `delivery` for each message, those before the stream first; "
    "`data` is the message with its verdict, `id` resumes.",
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}
NO_STORE = {"Cache-Control": "no-store"}


@router.post(
    "",
    status_code=201,
    response_model=NewSandbox,
    responses=refusals("configuration_invalid", "rate_limited"),
)
def create_sandbox(house: HouseDep, tenant: TenantDep) -> Response:
    """Open a receiver for a day: its address, its secret, and how to verify."""
    opened = open_sandbox(house.service, tenant, house.base)
    url = opened.sandbox.url
    made = NewSandbox(
        sandbox_id=opened.sandbox.id,
        url=url,
        secret=opened.secret,
        events_url=f"{url}/events",
        view_url=url,
        expires_at=opened.sandbox.expires_at,
        snippets=snippets(url, opened.secret),
    )
    return _said(made.model_dump_json(), 201)


@receiver.post(
    "/{sandbox_id}",
    response_model=Received,
    responses=refusals(400, 408, 413, "sandbox_not_found", "rate_limited"),
)
async def receive_in_sandbox(
    request: Request, house: HouseDep, sandbox_id: SandboxId
) -> Response:
    """Receive a message, and say whether its signature verifies."""
    patience = house.config.idle_timeout
    body = await bodies.read(request, LARGEST, patience)
    headers = dict(request.headers)
    kept = await to_thread.run_sync(receive, house.service, sandbox_id, headers, body)
    said = Received(received=kept.seq, verdict=kept.verdict)
    return _said(said.model_dump_json())


@router.get(
    "/{sandbox_id}",
    response_model=SandboxDocument,
    responses=refusals("sandbox_not_found"),
)
def show_sandbox(house: HouseDep, tenant: TenantDep, sandbox_id: SandboxId) -> Response:
    """Show what a sandbox has received: headers, body and verdict."""
    sandbox, found = received(house.service, tenant, sandbox_id)
    shown = SandboxDocument(
        sandbox_id=sandbox.id,
        url=sandbox.url,
        expires_at=sandbox.expires_at,
        data=[_document(each) for each in found],
    )
    return _said(shown.model_dump_json())


@router.get(
    "/{sandbox_id}/events",
    response_class=Response,
    responses={200: STREAM, **refusals("sandbox_not_found")},
)
async def watch_sandbox(
    house: HouseDep,
    tenant: TenantDep,
    sandbox_id: SandboxId,
    holds: HoldsDep,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Watch a sandbox, as Server-Sent Events."""
    look = partial(received, house.service, tenant, sandbox_id)
    seen = events.last_event_id(last_event_id) or 0
    await to_thread.run_sync(look, seen, limiter=house.threads.watching)
    told = _told(house, look, sandbox_id, seen, holds)
    return StreamingResponse(
        told, headers=events.HEADERS, media_type="text/event-stream"
    )


async def _told(
    house: House,
    look: partial[tuple[Sandbox, Sequence[Receipt]]],
    sandbox_id: str,
    seen: int,
    holds: Holds,
) -> AsyncIterator[bytes]:
    yield format_sse_event(retry=events.RETRY_MS)
    spoke_at = anyio.current_time()
    with (
        house.desk.subscribe(sandbox_id) as subscription,
        suppress(PixtoolsError),  # its time is over: there is no status left to tell
    ):
        while not house.desk.closed and await holds():
            threads = house.threads.watching
            _, found = await to_thread.run_sync(look, seen, limiter=threads)
            for each in found:
                data = _document(each).model_dump_json()
                yield format_sse_event(
                    event="delivery", data_str=data, id=str(each.seq)
                )
                seen, spoke_at = each.seq, anyio.current_time()
            if anyio.current_time() - spoke_at >= house.config.ping_interval:
                yield KEEPALIVE_COMMENT
                spoke_at = anyio.current_time()
            await subscription.wait(house.config.poll_interval)


def _document(receipt: Receipt) -> ReceiptDocument:
    return ReceiptDocument(
        seq=receipt.seq,
        received_at=receipt.at,
        verdict=receipt.verdict,
        headers=receipt.headers,
        body=receipt.body,
    )


def _said(body: str, status: int = 200) -> Response:
    return Response(body, status, NO_STORE, media_type="application/json")
