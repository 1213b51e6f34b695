"""What every route may lean on, and who asks.

The dependencies are `async` though they wait for nothing: FastAPI calls plain ones
in a thread, which costs more than they do.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from pixtools.api.addresses import AbsoluteLinks, base_of
from pixtools.api.callers import Caller, Callers, admitted
from pixtools.api.config import ApiConfig
from pixtools.api.metrics import Meters
from pixtools.api.ports import NewsDesk, RateLimiter
from pixtools.api.probing import Watch
from pixtools.api.threads import Threads
from pixtools.domain.errors import StorageUnavailable
from pixtools.jobs.service import Service

STORES: Final = ("storage", "s3")
"""What health calls the place where the bytes go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The things that wiring made; one value, held by the app."""

    config: ApiConfig
    service: Service
    desk: NewsDesk
    meters: Meters
    watch: Watch
    callers: Callers
    needed: Collection[str]
    """Which dependencies accepting a job needs."""
    limiter: RateLimiter | None = None
    check_webhook: Callable[[str, float], None] | None = None
    """Raises UnsafeDestination for a receiver that may not be called."""
    threads: Threads = field(default_factory=Threads)
    base: str = ""
    """Where this client reached us, without a slash at its end."""

    async def check_store(self) -> None:
        """Raise StorageUnavailable if the store was away at the last look.

        Whoever began to use it would hold a thread until its patience is over.
        """
        if await self.watch.away(STORES):
            raise StorageUnavailable


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
    base = (found.config.public_base_url or base_of(request.scope)).rstrip("/")
    links = AbsoluteLinks(found.service.links, base)
    return replace(found, service=replace(found.service, links=links), base=base)


async def service(house: Annotated[House, Depends(house)]) -> Service:
    """The service that verbs are called with."""
    return house.service


async def caller(request: Request, house: Annotated[House, Depends(house)]) -> Caller:
    """Who asks; also when nobody is known."""
    return await house.callers.caller(request, house.base)


BEARER: Final = HTTPBearer(auto_error=False)
"""Only marks guarded routes in the OpenAPI document."""


async def known(
    request: Request,
    house: Annotated[House, Depends(house)],
    caller: Annotated[Caller, Depends(caller)],
    _mark: Annotated[object, Depends(BEARER)],
) -> Caller:
    """Who asks, if known and allowed to; raises why not."""
    return admitted(request, caller, house.base)


async def tenant(caller: Annotated[Caller, Depends(known)]) -> str:
    """Whose jobs these are."""
    return caller.tenant


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
CallerDep = Annotated[Caller, Depends(caller)]
Known: Final = Depends(known)
"""Put on every router whose routes belong to somebody."""
TenantDep = Annotated[str, Depends(tenant)]
AskerDep = Annotated[Asker, Depends(asker)]
