"""Passing on the word that work waits: from the outbox to the broker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from pixtools.domain.job import Wakeup
from pixtools.jobs.service import Service

AT_ONCE: Final = 100


Post = Callable[[Sequence[Wakeup]], None]
"""Hands wake-ups to the broker, or raises."""


def relay(service: Service, post: Post, limit: int = AT_ONCE) -> int:
    """Post the wake-ups that are due, at most `limit`; how many.

    They are forgotten only when `post` has returned: if it raises, or this process
    dies, they are posted again. Several may relay at once; where they can't hold rows
    against each other without holding up everybody, they may post the same.
    """
    with service.database.read() as tx:
        due = tx.outbox.next_due()
    if due is None or due > service.clock.now():
        return 0
    if service.database.one_writer:
        return _post_first(service, post, limit)
    with service.database.write() as tx:
        taken = tx.outbox.take(service.clock.now(), limit)
        if taken:
            post(taken)
    return len(taken)


def _post_first(service: Service, post: Post, limit: int) -> int:
    """A broker may take seconds to answer: no write is open meanwhile."""
    with service.database.read() as tx:
        found = tx.outbox.due(service.clock.now(), limit)
    post(found)
    with service.database.write() as tx:
        tx.outbox.forget(found)
    return len(found)
