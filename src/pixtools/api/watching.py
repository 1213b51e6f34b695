"""Waiting for a job or batch to change, without asking the database in a storm."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import anyio
from anyio import to_thread

from pixtools.api.deps import House

T = TypeVar("T")


async def wait_until(
    house: House,
    subject: str,
    read: Callable[[], T],
    enough: Callable[[T], bool],
    seconds: float,
) -> T:
    """Read, and read again after each news, until it is enough or time is up.

    Subscribes before the first read, so that no news falls in between.
    """
    deadline = anyio.current_time() + min(seconds, house.config.max_wait)
    with house.desk.subscribe(subject) as subscription:
        while True:
            found = await to_thread.run_sync(read, limiter=house.threads.watching)
            left = deadline - anyio.current_time()
            if enough(found) or left <= 0 or house.desk.closed:
                return found
            await subscription.wait(min(left, house.config.poll_interval))
