"""How often one client may ask for a change: counted before anything of it is read."""

from __future__ import annotations

import math
from typing import Final

from fastapi import Depends, Request

from pixtools.api.callers import READS
from pixtools.api.deps import caller, house_of
from pixtools.api.ports import RateGrant, RateLimiter
from pixtools.domain.errors import RateLimited

POLICY: Final = "default"


async def limited(request: Request) -> None:
    """Take one request out of the caller's quota; raises RateLimited."""
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
    request.scope["state"]["headers"] = headers(limiter, grant)
    if not grant.allowed:
        house.meters.rejections.labels(route).inc()
        most = f"{limiter.capacity} in {limiter.window:g} seconds"
        raise RateLimited(
            f"You may ask this of the service {most}: wait a moment.",
            retry_after=grant.wait,
        )


Limited: Final = Depends(limited)
"""Put on every router; what only reads is not counted."""


def headers(limiter: RateLimiter, grant: RateGrant) -> dict[str, str]:
    """The quota as draft-ietf-httpapi-ratelimit-headers-11 tells it.

    `t` is the time in which no more than `r` may be asked: until there is one more.
    """
    window = max(1, math.ceil(limiter.window))
    return {
        "RateLimit-Policy": f'"{POLICY}";q={limiter.capacity};w={window}',
        "RateLimit": f'"{POLICY}";r={grant.remaining};t={math.ceil(grant.wait)}',
    }
