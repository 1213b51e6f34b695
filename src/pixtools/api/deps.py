"""What every route may lean on, and who asks.

The dependencies are `async` though they wait for nothing: FastAPI calls plain ones
in a thread, which costs more than they do.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Request

from pixtools.api.addresses import AbsoluteLinks, base_of
from pixtools.api.config import ApiConfig
from pixtools.api.metrics import Meters
from pixtools.api.ports import NewsDesk
from pixtools.api.probing import Watch
from pixtools.jobs.service import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The things that wiring made; one value, held by the app."""

    config: ApiConfig
    service: Service
    desk: NewsDesk
    meters: Meters
    watch: Watch
    needed: Collection[str]
    """Which dependencies accepting a job needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks, and how the request is found again in logs and traces."""

    tenant: str
    request_id: str | None = None
    traceparent: str | None = None


async def house(request: Request) -> House:
    """The app's house; the links that it makes lead to where this client asked."""
    found = request.app.state.house
    assert isinstance(found, House)  # noqa: S101 - set by create_app alone
    base = found.config.public_base_url or base_of(request.scope)
    links = AbsoluteLinks(found.service.links, base.rstrip("/"))
    return replace(found, service=replace(found.service, links=links))


async def service(house: Annotated[House, Depends(house)]) -> Service:
    """The service that verbs are called with."""
    return house.service


async def tenant(request: Request) -> str:  # noqa: ARG001 - keys will be read from it
    """Whose jobs these are. One tenant until keys are asked for."""
    return "default"


async def asker(request: Request, tenant: Annotated[str, Depends(tenant)]) -> Asker:
    """The tenant with the request's own ids."""
    state = request.scope.get("state", {})
    return Asker(
        tenant=tenant,
        request_id=state.get("request_id"),
        traceparent=state.get("traceparent"),
    )


HouseDep = Annotated[House, Depends(house)]
ServiceDep = Annotated[Service, Depends(service)]
TenantDep = Annotated[str, Depends(tenant)]
AskerDep = Annotated[Asker, Depends(asker)]
