"""What every store of API keys promises. Subclass, and give the fixture `database`."""

# ruff: noqa: S101 - a suite is made of methods that assert

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from pixtools.domain.identity import ApiKey
from pixtools.jobs.ports.facts import Database
from pixtools.testing.rows import NOW, an_id

MINUTE = timedelta(minutes=1)


def a_key(**changed: object) -> ApiKey:
    """A key of the usual tenant, unlike all others."""
    made = an_id()
    key = ApiKey(id=made, shown="ptk_1234…abcd", digest=made, created_at=NOW)
    return replace(key, **changed)  # type: ignore[arg-type] # a test's own words


def kept(database: Database, key: ApiKey) -> ApiKey | None:
    """The key as a later reader finds it."""
    with database.read() as tx:
        return tx.keys.get(key.id)


def stored(database: Database, **changed: object) -> ApiKey:
    """A key that was added."""
    key = a_key(**changed)
    with database.write() as tx:
        tx.keys.add(key)
    return key


class KeysSuite:
    """API keys."""

    def test_a_key_is_found_by_its_digest_and_by_its_id(
        self, database: Database
    ) -> None:
        """With all that is known of it."""
        key = stored(
            database,
            tenant="ann",
            name="the shop's",
            scopes=("read",),
            expires_at=NOW + MINUTE,
        )
        stored(database)
        with database.read() as tx:
            assert tx.keys.find(key.digest) == key
            assert tx.keys.get(key.id) == key
            assert tx.keys.find(key.id[:-1]) is None
            assert tx.keys.get(key.digest + "0") is None

    def test_no_two_keys_have_the_same_digest(self, database: Database) -> None:
        """A key never stands for two tenants."""
        key = stored(database)
        with pytest.raises((IntegrityError, ValueError)):
            stored(database, digest=key.digest)

    def test_keys_are_listed_newest_first(self, database: Database) -> None:
        """All, a tenant's, or as many as asked for."""
        ann, bob = stored(database, tenant="ann"), stored(database, tenant="bob")
        with database.read() as tx:
            assert list(tx.keys.listed()) == [bob, ann]
            assert list(tx.keys.listed("ann")) == [ann]
            assert list(tx.keys.listed(limit=1)) == [bob]
            assert list(tx.keys.listed("cat")) == []

    def test_a_revoked_key_stays_so_since_the_first_time(
        self, database: Database
    ) -> None:
        """Whoever revokes it again changes nothing."""
        key, other = stored(database), stored(database)
        for moment in (NOW, NOW + MINUTE):
            with database.write() as tx:
                tx.keys.revoke(key.id, moment)
        assert kept(database, key) == replace(key, revoked_at=NOW)
        assert kept(database, other) == other

    def test_a_use_is_noted_now_and_then(self, database: Database) -> None:
        """Not again within the time that the caller says."""
        key = stored(database)
        for moment in (NOW, NOW + MINUTE / 2, NOW + MINUTE):
            with database.write() as tx:
                tx.keys.used(key.id, moment, moment - MINUTE)
        assert kept(database, key) == replace(key, last_used_at=NOW)
        with database.write() as tx:
            tx.keys.used(key.id, NOW + 2 * MINUTE, NOW + MINUTE)
        assert kept(database, key) == replace(key, last_used_at=NOW + 2 * MINUTE)
