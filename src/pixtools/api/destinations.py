"""Looking at addresses that clients give: where they lead, as far as it is known now.

They are looked at again when they are dialled, which is what protects. So nobody waits
long for a name here, and one that can't be looked up in time is taken. What needs no
look-up, such as an address in numbers, is refused however busy we are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from anyio import current_time, move_on_after, to_thread

from pixtools.api.deps import Asker, House
from pixtools.domain.errors import FieldError, UnsafeDestination
from pixtools.jobs.admission import has_answer
from pixtools.jobs.sandbox import PLACE, is_sandbox

Check = Callable[[str, float], None]
"""Raises UnsafeDestination, in so many seconds; in none it asks nobody for names."""


@dataclass(frozen=True, slots=True)
class Given:
    """An address, and in which field of the request it stands."""

    pointer: str
    url: str
    check: Check


def of_webhook(house: House, url: str | None, within: str = "") -> list[Given]:
    """The receiver that a request names, if it names one."""
    if url and house.check_webhook:
        return [Given(f"{within}/webhook_url", url, house.check_webhook)]
    return []


def of_source(house: House, url: str | None, within: str = "") -> list[Given]:
    """The address that a photo is to be fetched from, if there is one."""
    if url and house.service.fetcher:
        return [Given(f"{within}/url", url, house.service.fetcher.check)]
    return []


async def look_at(
    house: House, asker: Asker, key: str | None, given: Iterable[Given]
) -> None:
    """Raise UnsafeDestination for the first address that may not be called.

    A request that was answered before is answered alike, wherever names lead by now.
    `key` is the idempotency key that its first job is remembered under.
    """
    outside = [each for each in given if not await _is_ours(house, asker, each)]
    try:
        await _look(house, outside)
    except UnsafeDestination:
        known = partial(has_answer, house.service, asker.tenant)
        if key is None or not await to_thread.run_sync(known, key):
            raise


async def _is_ours(house: House, asker: Asker, given: Given) -> bool:
    """A sandbox of the tenant's own is called by nobody: it is told in the house."""
    if not given.pointer.endswith("/webhook_url") or PLACE not in given.url:
        return False
    asked = partial(is_sandbox, house.service, asker.tenant)
    return await to_thread.run_sync(asked, given.url)


async def _look(house: House, given: Sequence[Given]) -> None:
    for each in given:
        _check(each, 0)
    once = {(each.check, each.url): each for each in reversed(given)}
    threads = house.threads.lookups
    with move_on_after(house.config.lookup_timeout) as scope:
        for each in reversed(once.values()):
            left = scope.deadline - current_time()
            await to_thread.run_sync(_check, each, left, limiter=threads)


def _check(given: Given, within: float) -> None:
    try:
        given.check(given.url, within)
    except UnsafeDestination as refusal:
        at = FieldError(given.pointer, refusal.detail)
        raise UnsafeDestination(refusal.detail, fields=(at,)) from None
