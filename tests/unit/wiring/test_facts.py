"""Settings reach the database that they are about."""

from __future__ import annotations

from pixtools.settings import Settings
from pixtools.wiring.facts import persistence_config


def test_the_size_of_the_pool_is_heeded() -> None:
    """So many stay open, and as many again may come."""
    config = persistence_config(Settings(database_pool_size=3))
    assert (config.pool_size, config.overflow) == (3, 3)
