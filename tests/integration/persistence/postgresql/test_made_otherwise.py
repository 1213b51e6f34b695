"""Databases that their operators have set up in ways of their own."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import Connection, make_url
from tests.integration.persistence.postgresql.test_connections import waiters

from pixtools.domain.errors import DatabaseUnavailable
from pixtools.persistence.config import PersistenceConfig
from pixtools.persistence.database import SqlDatabase
from pixtools.persistence.migrate import migrate
from pixtools.testing.port_suites.database import kept, stored
from pixtools.testing.rows import a_job
from pixtools.testing.services import Services
from pixtools.testing.serving import eventually
from pixtools.testing.spaces import fresh_database

PLAIN = "ENCODING '{}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"


@contextmanager
def opened(config: PersistenceConfig, setting: str) -> Iterator[SqlDatabase]:
    """The database, as it is where a setting is the default."""
    options = {"options": f"-c {setting}"}
    url = make_url(config.url).update_query_dict(options)
    text = url.render_as_string(hide_password=False)
    database = SqlDatabase(replace(config, url=text))
    try:
        yield database
    finally:
        database.close()


@pytest.mark.parametrize("level", [r"repeatable\ read", "serializable"])
def test_whoever_waited_counts_what_came_meanwhile(
    level: str,
    config: PersistenceConfig,
    administrator: Connection,
    database: SqlDatabase,
) -> None:
    """Whatever isolation is the default: else a full queue would take more."""
    with opened(config, f"default_transaction_isolation={level}") as strict:

        def counted() -> int:
            with strict.write() as tx:
                return tx.queues.load("me", alone=True).total

        with ThreadPoolExecutor(1) as pool:
            with strict.write() as tx:
                tx.queues.load("me", alone=True)
                second = pool.submit(counted)
                eventually(lambda: waiters(administrator) == 1, within=30)
                tx.jobs.add(a_job())
            assert second.result(timeout=30) == 1


def test_a_database_without_an_encoding_keeps_every_word(services: Services) -> None:
    server = services.line("DATABASE_URL")
    with fresh_database(server, PLAIN.format("SQL_ASCII")) as url:
        config = PersistenceConfig(url=url)
        migrate(config)
        database = SqlDatabase(config)
        job = a_job(tenant="größe 写真")
        stored(database, job)
        assert kept(database, job.id) == job
        database.close()


def test_a_database_that_can_not_hold_every_word_is_refused(services: Services) -> None:
    server = services.line("DATABASE_URL")
    with (
        fresh_database(server, PLAIN.format("LATIN1")) as url,
        pytest.raises(DatabaseUnavailable, match="UTF8 but received LATIN1"),
    ):
        migrate(PersistenceConfig(url=url))
