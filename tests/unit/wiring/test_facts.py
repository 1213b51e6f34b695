"""Settings reach the database that they are about."""

from __future__ import annotations

import pytest

from pixtools.domain.errors import ConfigurationInvalid
from pixtools.settings import Settings
from pixtools.wiring import checkup
from pixtools.wiring.facts import facts, persistence_config


def test_the_size_of_the_pool_is_heeded() -> None:
    """So many stay open, and as many again may come."""
    config = persistence_config(Settings(database_pool_size=3))
    assert (config.pool_size, config.overflow) == (3, 3)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("", "Connection refused"),
        ("?connect_timeout=soon", "bad value for connect_timeout"),
        ("?nonsense=1", '"nonsense"'),
    ],
)
def test_a_server_that_is_of_no_use_is_named_with_the_reason_and_no_password(
    options: str, words: str, free_port: int
) -> None:
    url = f"postgresql://ann:opensesame@127.0.0.1:{free_port}/x{options}"
    settings = Settings(database_url=url)
    for start in (
        facts(settings).__enter__,
        lambda: checkup.migrate(settings),
        lambda: checkup.describe_database(settings),
    ):
        with pytest.raises(ConfigurationInvalid, match="DATABASE_URL") as refusal:
            start()
        assert words in refusal.value.detail
        assert "opensesame" not in refusal.value.detail
        assert "\n" not in refusal.value.detail
