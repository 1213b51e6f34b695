"""Passing on the word that work waits: from the outbox to the broker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from pixtools.domain.job import Wakeup
from pixtools.jobs.service import Service

AT_ONCE: Final = 100


def relay(
    service: Service, post: Callable[[Sequence[Wakeup]], None], limit: int = AT_ONCE
) -> int:
    """Post the wake-ups that are due, at most `limit`; how many.

    They are forgotten only when `post` has returned: if it raises, or this process
    dies, they are posted again. Several may relay at once.
    """
    with service.database.read() as tx:
        due = tx.outbox.next_due()
    if due is None or due > service.clock.now():
        return 0
    with service.database.write() as tx:
        taken = tx.outbox.take(service.clock.now(), limit)
        if taken:
            post(taken)
    return len(taken)
