"""What every route may lean on, and who asks.

The dependencies are `async` though they wait for nothing: FastAPI calls plain ones
in a thread, which costs more than they do. They ask each other as functions, and keep
what they found with the request: FastAPI goes through all that a dependency depends
on each time that it is named, whether it knows the answer or not. For the same reason
the two routes that every job takes ask for themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Annotated, Final

from fastapi import Depends, Request

from pixtools.api.addresses import base_of
from pixtools.api.callers import Caller, Callers, admitted
from pixtools.api.config import ApiConfig
from pixtools.api.metrics import Meters
from pixtools.api.ports import NewsDesk, RateLimiter
from pixtools.api.probing import Watch
from pixtools.api.threads import Threads
from pixtools.domain.errors import StorageUnavailable
from pixtools.jobs.links import AbsoluteLinks
from pixtools.jobs.service import Service

_HOUSE: Final = "pixtools.house"
_CALLER: Final = "pixtools.caller"
"""Where a request keeps them."""

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


def house_of(request: Request) -> House:
    """The app's house; the links that it makes lead to where this client asked."""
    known: House | None = request.scope.get(_HOUSE)
    if known is not None:
        return known
    found = request.app.state.house
    assert isinstance(found, House)  # noqa: S101 - set by create_app alone
    base = (found.config.public_base_url or base_of(request.scope)).rstrip("/")
    links = AbsoluteLinks(found.service.links, base)
    made = replace(found, service=replace(found.service, links=links), base=base)
    request.scope[_HOUSE] = made
    return made


async def house(request: Request) -> House:
    """The app's house, as this client sees it."""
    return house_of(request)


async def service(request: Request) -> Service:
    """The service that verbs are called with."""
    return house_of(request).service


async def caller(request: Request) -> Caller:
    """Who asks; also when nobody is known. Found out once for each request."""
    found: Caller | None = request.scope.get(_CALLER)
    if found is None:
        house = house_of(request)
        found = await house.callers.caller(request, house.base)
        request.scope[_CALLER] = found
    return found


async def known(request: Request) -> Caller:
    """Who asks, if known and allowed to; raises why not."""
    return admitted(request, await caller(request), house_of(request).base)


async def tenant(request: Request) -> str:
    """Whose jobs these are; raises why nobody may ask for them."""
    return (await known(request)).tenant


async def asker(request: Request) -> Asker:
    """The tenant with the request's own ids."""
    state = request.scope.get("state", {})
    return Asker(
        tenant=await tenant(request),
        request_id=state.get("request_id"),
        traceparent=state.get("traceparent"),
    )


HouseDep = Annotated[House, Depends(house)]
ServiceDep = Annotated[Service, Depends(service)]
CallerDep = Annotated[Caller, Depends(caller)]
TenantDep = Annotated[str, Depends(tenant)]
AskerDep = Annotated[Asker, Depends(asker)]
