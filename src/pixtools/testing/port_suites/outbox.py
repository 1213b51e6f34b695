"""What every outbox promises. Subclass, and give the fixture `database`."""

# ruff: noqa: S101 - a suite is made of methods that assert

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from pixtools.domain.job import Wakeup
from pixtools.jobs.ports.facts import Database
from pixtools.testing.rows import NOW, an_id

SECOND = timedelta(seconds=1)


def a_wakeup(**changed: Any) -> Wakeup:  # noqa: ANN401 - any field of a wake-up
    """One for a render stage, due now."""
    given: dict[str, Any] = {"lane": "default_queue", "kind": "render", "due_at": NOW}
    return Wakeup(**{"id": an_id(), "stage_id": an_id(), **given, **changed})


def kept(database: Database, *wakeups: Wakeup) -> None:
    """Add wake-ups in one transaction."""
    with database.write() as tx:
        tx.outbox.add(wakeups)


def taken(database: Database, limit: int = 99) -> list[Wakeup]:
    """Take what is due now in one transaction."""
    with database.write() as tx:
        return list(tx.outbox.take(NOW, limit))


class OutboxSuite:
    """Wake-ups on their way."""

    def test_each_is_taken_once(self, database: Database) -> None:
        """As it was added."""
        one = a_wakeup()
        other = a_wakeup(kind="denoise", lane="ml_inference_queue")
        kept(database, one, other)
        assert taken(database) == [one, other]
        assert taken(database) == []

    def test_the_longest_due_go_first(self, database: Database) -> None:
        """And no more than asked for; what is not due stays."""
        late = a_wakeup(due_at=NOW + SECOND)
        second, first = a_wakeup(), a_wakeup(due_at=NOW - SECOND)
        kept(database, late, second, first)
        assert taken(database, 1) == [first]
        assert taken(database) == [second]
        assert taken(database) == []

    def test_the_next_time_is_known(self, database: Database) -> None:
        """None where nothing is kept."""
        with database.read() as tx:
            assert tx.outbox.next_due() is None
        kept(database, a_wakeup(due_at=NOW + SECOND), a_wakeup(due_at=NOW - SECOND))
        with database.read() as tx:
            assert tx.outbox.next_due() == NOW - SECOND
        taken(database)
        with database.read() as tx:
            assert tx.outbox.next_due() == NOW + SECOND

    def test_what_was_not_passed_on_is_there_again(self, database: Database) -> None:
        """Whoever dies between taking and committing loses nothing."""
        wakeup = a_wakeup()
        kept(database, wakeup)

        def half_done() -> None:
            with database.write() as tx:
                assert list(tx.outbox.take(NOW, 9)) == [wakeup]
                raise LookupError

        with pytest.raises(LookupError):
            half_done()
        assert taken(database) == [wakeup]

    def test_a_look_takes_nothing(self, database: Database) -> None:
        """What is due is told in the order in which it would be taken."""
        late = a_wakeup(due_at=NOW + SECOND)
        second, first = a_wakeup(), a_wakeup(due_at=NOW - SECOND)
        kept(database, late, second, first)
        with database.read() as tx:
            assert list(tx.outbox.due(NOW, 1)) == [first]
            assert list(tx.outbox.due(NOW, 9)) == [first, second]
        assert taken(database) == [first, second]

    def test_what_is_forgotten_is_gone(self, database: Database) -> None:
        """The rest stays; forgetting again is harmless."""
        one, other = a_wakeup(), a_wakeup()
        kept(database, one, other)
        for _ in range(2):
            with database.write() as tx:
                tx.outbox.forget([one])
        with database.write() as tx:
            tx.outbox.forget([])
        assert taken(database) == [other]

    def test_many_who_take_at_once_share(self, database: Database) -> None:
        """None is taken twice, none is left over."""
        wakeups = [a_wakeup() for _ in range(40)]
        kept(database, *wakeups)
        with ThreadPoolExecutor(4) as pool:
            shares = list(pool.map(lambda _: taken(database, 5), range(16)))
        got = [wakeup for share in shares for wakeup in share] + taken(database)
        assert sorted(got, key=lambda each: each.id) == wakeups
        assert all(len(share) <= 5 for share in shares)
