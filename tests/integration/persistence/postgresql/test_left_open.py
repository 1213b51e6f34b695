"""Transactions that their owner did not come to end."""

from __future__ import annotations

from pixtools.persistence.database import SqlDatabase, SqlTransaction
from pixtools.testing.port_suites.database import kept, stored
from pixtools.testing.rows import a_job


def test_what_nobody_ended_is_no_part_of_what_others_commit(
    database: SqlDatabase,
) -> None:
    """Its owner was interrupted by a signal just before it would have undone it."""
    left, other = a_job(), a_job()
    opening = database._lines.transaction(writes=True)
    SqlTransaction(opening.__enter__()).jobs.add(left)
    del opening
    stored(database, other)
    assert (kept(database, left.id), kept(database, other.id)) == (None, other)
