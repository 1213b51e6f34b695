"""A migrated database on PostgreSQL, emptied between tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool
from tests.emptied import empty

from pixtools.persistence.config import PersistenceConfig
from pixtools.persistence.database import SqlDatabase
from pixtools.persistence.migrate import migrate


@pytest.fixture(scope="module")
def config(postgres_url: str) -> PersistenceConfig:
    config = PersistenceConfig(url=postgres_url)
    migrate(config)
    return config


@pytest.fixture
def database(config: PersistenceConfig) -> Iterator[SqlDatabase]:
    empty(config)
    opened = SqlDatabase(config)
    yield opened
    opened.close()


@pytest.fixture
def administrator(config: PersistenceConfig) -> Iterator[Connection]:
    """A connection that is no part of what is tested."""
    plain = create_engine(config.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with plain.connect() as connection:
        yield connection
