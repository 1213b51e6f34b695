"""Whether somebody who was let in once still would be, for answers that take long."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated

import anyio
from fastapi import Depends, Request

from pixtools.api.deps import house_of

Holds = Callable[[], Awaitable[bool]]
"""Whether an answer may go on."""


@dataclass(slots=True)
class Standing:
    """A caller's, found out anew every so many seconds."""

    ask: Holds
    every: float
    _asked_at: float = field(default_factory=anyio.current_time)

    async def holds(self) -> bool:
        """Whether it does; what was found out lately is believed."""
        now = anyio.current_time()
        if now - self._asked_at < self.every:
            return True
        self._asked_at = now
        return await self.ask()


async def standing(request: Request) -> Holds:
    """Says of whoever sent this request whether they would still be let in."""
    house = house_of(request)

    async def ask() -> bool:
        return await house.callers.still(request, house.base)

    return Standing(ask, house.config.standing_interval).holds


HoldsDep = Annotated[Holds, Depends(standing)]
