"""Transactions that nobody came to end, and connections that end at once."""

from __future__ import annotations

import pytest

from pixtools.domain.errors import DatabaseUnavailable
from pixtools.persistence.database import SqlDatabase, SqlTransaction
from pixtools.persistence.patient import PatientConnection
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


def test_a_server_that_ends_each_new_connection_is_away(
    database: SqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one does that is shutting down: its last word is there before ours."""

    def has_ended(connection: PatientConnection) -> bool:
        connection.close()
        return True

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(PatientConnection, "hears", has_ended)
        for _ in range(20):  # more than the pool has room for
            with pytest.raises(DatabaseUnavailable):
                kept(database, "")
    stored(database, a_job())
