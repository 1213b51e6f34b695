"""Leases go by clocks, so a machine whose clock is off has to be told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, make_url

from pixtools.domain.errors import ConfigurationInvalid
from pixtools.persistence.config import PersistenceConfig
from pixtools.settings import Settings
from pixtools.wiring.checkup import describe_database
from pixtools.wiring.facts import facts

# Found before the server's own by whoever looks into this schema first.
SLOW_CLOCK = """\
CREATE FUNCTION slow.clock_timestamp() RETURNS timestamptz LANGUAGE sql
AS $$ SELECT pg_catalog.clock_timestamp() - interval '{} seconds' $$"""


@pytest.fixture
def slow(config: PersistenceConfig, administrator: Connection) -> Iterator[Settings]:
    """A database that a machine two minutes ahead has to do with."""
    administrator.exec_driver_sql("CREATE SCHEMA slow")
    administrator.exec_driver_sql(SLOW_CLOCK.format(120.4))
    path = {"options": "-c search_path=slow,pg_catalog,public"}
    url = make_url(config.url).update_query_dict(path)
    yield Settings(database_url=url.render_as_string(hide_password=False))
    administrator.exec_driver_sql("DROP SCHEMA slow CASCADE")


def test_a_clock_that_is_off_is_told_at_the_start(
    slow: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with facts(slow):
        (said,) = [each for each in caplog.records if each.message == "clock_differs"]
    assert "clock is 12" in vars(said)["reason"]
    assert "s ahead of the database's" in vars(said)["reason"]


def test_the_doctor_finds_a_clock_that_is_off(slow: Settings) -> None:
    with pytest.raises(ConfigurationInvalid, match=r"clock is 12\d s ahead of .*NTP"):
        describe_database(slow)


def test_a_clock_that_is_right_is_no_matter(
    config: PersistenceConfig, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(database_url=config.url)
    with facts(settings):
        assert "clock_differs" not in caplog.messages
    assert describe_database(settings) == "PostgreSQL answers"
