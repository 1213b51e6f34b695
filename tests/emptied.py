"""Databases that outlive a test: their schema stays, their rows go."""

from __future__ import annotations

from pixtools.persistence.config import PersistenceConfig
from pixtools.persistence.engine import open_engine
from pixtools.persistence.tables import metadata


def empty(config: PersistenceConfig) -> None:
    """Delete every row; cheaper than TRUNCATE where there are few."""
    engine = open_engine(config)
    with engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
    engine.dispose()
