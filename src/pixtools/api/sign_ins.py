"""Failed sign-ins, limited by the address that they come from."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from pixtools.api.metrics import Meters
from pixtools.api.ports import RateLimiter
from pixtools.api.quotas import OutOfQuota, headers

ROUTE: Final = "sign-in"
MOST: Final = 10_000
TEXT: Final = "Too many wrong keys came from your address: wait a moment."


@dataclass(slots=True)
class SignIns:
    """Counts what failed; who failed too often waits, also with a right key.

    Without a limiter nobody waits.
    """

    limiter: RateLimiter | None
    meters: Meters
    now: Callable[[], float] = time.monotonic
    _until: OrderedDict[str, float] = field(default_factory=OrderedDict)

    def check(self, network: str) -> None:
        """Raise OutOfQuota while an address has to wait."""
        wait = self._until.get(network, 0.0) - self.now()
        if wait > 0:
            raise self._refusal(wait)
        self._until.pop(network, None)

    async def failed(self, network: str) -> None:
        """Count a failure; raises OutOfQuota if it was one too many."""
        self.meters.sign_in_failures.inc()
        if self.limiter is None:
            return
        grant = await self.limiter.take(f"address:{network}", ROUTE)
        if not grant.counted:
            self.meters.unlimited.labels(ROUTE).inc()
            return
        if grant.remaining == 0:
            self._until[network] = self.now() + grant.wait
            while len(self._until) > MOST:
                self._until.popitem(last=False)
        if not grant.allowed:
            raise self._refusal(grant.wait)

    def _refusal(self, wait: float) -> OutOfQuota:
        assert self.limiter is not None  # noqa: S101 - nobody waits without one
        told = headers(self.limiter, ROUTE, remaining=0, wait=wait)
        return OutOfQuota(TEXT, wait, told)
