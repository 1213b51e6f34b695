"""How often one client may ask for a change: counted before anything of it is read."""

from __future__ import annotations

from typing import Final

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from pixtools.api.callers import READS
from pixtools.api.deps import caller, house_of, known
from pixtools.api.quotas import OutOfQuota, headers, tell

POLICY: Final = "default"


async def limited(request: Request) -> None:
    """Take one request out of the caller's quota; raises OutOfQuota."""
    house = house_of(request)
    limiter = house.limiter
    if limiter is None or request.method in READS:
        return
    asks = await caller(request)
    if not (asks.authenticated or house.config.limit_strangers):
        return
    route: str = request.scope["route"].path
    grant = await limiter.take(asks.identity, f"{request.method} {route}")
    if not grant.counted:
        house.meters.unlimited.labels(route).inc()
        return
    told = headers(limiter, POLICY, remaining=grant.remaining, wait=grant.wait)
    tell(request, told)
    if not grant.allowed:
        house.meters.rejections.labels(route).inc()
        most = f"{limiter.capacity} in {limiter.window:g} seconds"
        text = f"You may ask this of the service {most}: wait a moment."
        raise OutOfQuota(text, grant.wait, told)


Limited: Final = Depends(limited)
"""Put on every other router; what only reads is not counted."""


class Admission(HTTPBearer):
    """Whether who asks is known and allowed to, and has not asked too often.

    One question for all, since FastAPI goes through each for each request; and of the
    kind that marks routes in the OpenAPI document, which would be another one.
    """

    async def __call__(self, request: Request) -> None:  # type: ignore[override] # it answers nothing
        """Raise the reason why not."""
        await known(request)
        await limited(request)


Admitted: Final = Depends(Admission())
"""Put on every router whose routes belong to somebody."""
