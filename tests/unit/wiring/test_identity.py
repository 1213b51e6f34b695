"""From settings to who may ask: what is shared, and what a server must not be."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from pixtools.domain.errors import ConfigurationInvalid
from pixtools.persistence.config import PersistenceConfig
from pixtools.persistence.migrate import migrate
from pixtools.settings import Settings
from pixtools.testing.memory_jobs import MemoryDatabase
from pixtools.wiring.identity import check_gate, keyring, served_facts, shared_secret
from pixtools.wiring.keys import keys
from pixtools.wiring.machine import is_loopback

POSTGRES = "postgresql://nowhere.invalid/pixtools"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of a service with a database of its own, which is up to date."""
    migrate(PersistenceConfig(url=f"sqlite:///{tmp_path}/pixtools.sqlite3"))
    return Settings(pixtools_data_dir=tmp_path)


def changed(settings: Settings, **values: object) -> Settings:
    return Settings(**{"pixtools_data_dir": settings.pixtools_data_dir, **values})  # type: ignore[arg-type] # checked by the model


class TestSecret:
    def test_it_lies_beside_a_database_of_our_own(self, settings: Settings) -> None:
        secret = shared_secret(settings)
        assert len(secret) >= 32
        assert shared_secret(settings) == secret
        kept = settings.pixtools_data_dir / "secret-key.json"
        assert kept.stat().st_mode & 0o077 == 0

    def test_a_setting_wins(self, settings: Settings) -> None:
        given = changed(
            settings, secret_key="a secret of this deployment".replace(" ", "-")
        )
        assert shared_secret(given) == b"a-secret-of-this-deployment"

    def test_servers_that_share_a_database_have_none_until_they_are_told(self) -> None:
        assert shared_secret(Settings(database_url=POSTGRES)) == b""

    def test_without_it_no_key_is_made(self) -> None:
        ring = keyring(Settings(database_url=POSTGRES), MemoryDatabase())
        with pytest.raises(ConfigurationInvalid, match="SECRET_KEY"):
            ring.create()
        assert not ring.is_used()

    def test_a_damaged_one_is_one_sentence(self, settings: Settings) -> None:
        (settings.pixtools_data_dir / "secret-key.json").write_text("no secret")
        with pytest.raises(ConfigurationInvalid, match=r"secret-key\.json") as caught:
            shared_secret(settings)
        assert "\n" not in caught.value.detail


class TestExposure:
    def test_nobody_serves_other_machines_unasked(self, settings: Settings) -> None:
        with (
            pytest.raises(ConfigurationInvalid, match=r"API_KEY.*pixtools keys create"),
            served_facts(settings, exposed=True),
        ):
            pass

    def test_this_machine_is_served_unasked(self, settings: Settings) -> None:
        with served_facts(settings, exposed=False) as database:
            database.check()

    @pytest.mark.parametrize(
        "values",
        [
            {"api_key": "a-key-of-the-setting"},
            {"oidc_issuer": "https://login.example", "oidc_audience": "pixtools"},
        ],
    )
    def test_whoever_asks_who_it_is_may_be_reached(
        self, settings: Settings, values: dict[str, str]
    ) -> None:
        with served_facts(changed(settings, **values), exposed=True) as database:
            database.check()

    def test_a_key_of_the_database_is_enough(self, settings: Settings) -> None:
        with keys(settings) as ring:
            ring.create()
        with served_facts(settings, exposed=True) as database:
            database.check()

    @pytest.mark.parametrize("exposed", [True, False])
    def test_keys_that_could_not_be_told_stop_the_start(self, exposed: bool) -> None:
        """Otherwise everybody would be refused, and only the log would say why."""
        database = MemoryDatabase()
        told = Settings(database_url=POSTGRES, secret_key="sixteen-and-more")
        keyring(told, database).create()
        check_gate(told, database, exposed=exposed)
        untold = Settings(database_url=POSTGRES)
        with pytest.raises(ConfigurationInvalid, match="SECRET_KEY"):
            check_gate(untold, database, exposed=exposed)

    def test_an_issuer_without_audience_stops_the_start(
        self, settings: Settings
    ) -> None:
        wrong = changed(settings, oidc_issuer="https://login.example")
        with (
            pytest.raises(ConfigurationInvalid, match="OIDC_AUDIENCE"),
            served_facts(wrong, exposed=False),
        ):
            pass


@pytest.mark.parametrize(
    ("family", "host", "private"),
    [
        (socket.AF_INET, "127.0.0.1", True),
        (socket.AF_INET, "127.0.0.9", True),
        (socket.AF_INET, "0.0.0.0", False),
        (socket.AF_INET6, "::1", True),
        (socket.AF_INET6, "::", False),
    ],
)
def test_only_loopback_is_this_machine_alone(
    family: socket.AddressFamily, host: str, private: bool
) -> None:
    if family is socket.AF_INET6 and not _speaks_ipv6():
        family, host, private = socket.AF_INET, "127.0.0.1", True
    with socket.socket(family) as listener:
        listener.bind((host, 0))
        assert is_loopback(listener) is private


def _speaks_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
