"""How a quota is told, whatever it is a quota of."""

from __future__ import annotations

import math
from collections.abc import Mapping

from fastapi import Request

from pixtools.api.ports import RateLimiter
from pixtools.domain.errors import RateLimited


class OutOfQuota(RateLimited):
    """You ask more often than one client may."""

    def __init__(self, detail: str, wait: float, told: Mapping[str, str]) -> None:
        """Refuse for so many seconds; `told` are the headers that say why."""
        super().__init__(detail, retry_after=wait)
        self.told = told


def headers(
    limiter: RateLimiter, policy: str, *, remaining: int, wait: float
) -> dict[str, str]:
    """The quota as draft-ietf-httpapi-ratelimit-headers-11 tells it.

    `t` is the time in which no more than `r` may be asked: until there is one more.
    """
    window = max(1, math.ceil(limiter.window))
    return {
        "RateLimit-Policy": f'"{policy}";q={limiter.capacity};w={window}',
        "RateLimit": f'"{policy}";r={remaining};t={math.ceil(wait)}',
    }


def tell(request: Request, told: Mapping[str, str]) -> None:
    """Let the answer carry these headers; what refuses it is told last."""
    request.scope["state"]["headers"] = told
