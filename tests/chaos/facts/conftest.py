"""A house on a real database of each kind, and as many empty ones as are wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.emptied import empty

from pixtools.persistence.config import PersistenceConfig
from pixtools.persistence.database import SqlDatabase
from pixtools.persistence.migrate import migrate
from pixtools.testing.house import House

Build = Callable[[], House]


@pytest.fixture(scope="module")
def migrated(postgres_url: str) -> PersistenceConfig:
    config = PersistenceConfig(url=postgres_url)
    migrate(config)
    return config


@pytest.fixture(params=["sqlite", "postgresql"])
def build(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Build]:
    """Makes a house whose database holds nothing; work in it is relayed."""
    if request.param == "postgresql":
        config: PersistenceConfig = request.getfixturevalue("migrated")
    else:
        config = PersistenceConfig(url=f"sqlite:///{tmp_path}/facts.sqlite3")
        migrate(config)
    database = SqlDatabase(config)

    def fresh() -> House:
        empty(config)
        house = House(database=database)
        house.rule(relayed=True)
        return house

    yield fresh
    database.close()


@pytest.fixture
def house(build: Build) -> House:
    return build()
