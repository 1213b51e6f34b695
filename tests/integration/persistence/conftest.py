"""SQLite files, migrated, one for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pixtools.persistence.config import PersistenceConfig
from pixtools.persistence.database import SqlDatabase
from pixtools.persistence.migrate import migrate


@pytest.fixture
def config(tmp_path: Path) -> PersistenceConfig:
    return PersistenceConfig(url=f"sqlite:///{tmp_path}/facts.sqlite3")


@pytest.fixture
def database(config: PersistenceConfig) -> Iterator[SqlDatabase]:
    migrate(config)
    opened = SqlDatabase(config)
    yield opened
    opened.close()
