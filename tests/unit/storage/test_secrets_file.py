"""Signing secrets are made once, kept private, and can be replaced."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pixtools.domain.errors import ConfigurationInvalid
from pixtools.storage.secrets_file import SecretsFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "signing-keys.json"


def test_a_secret_is_made_once_and_kept(path: Path) -> None:
    """Links survive a restart."""
    name, secret = SecretsFile(path).newest()
    assert SecretsFile(path).newest() == (name, secret)
    assert SecretsFile(path).named(name) == secret
    assert len(secret) == 32


def test_secrets_are_for_the_owner_alone(path: Path) -> None:
    """0600 in 0700, and nothing else lies about."""
    SecretsFile(path).newest()
    SecretsFile(path).rotate()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_two_installations_differ(tmp_path: Path) -> None:
    """Nobody shares a secret with anybody."""
    assert (
        SecretsFile(tmp_path / "a").newest()[1]
        != SecretsFile(tmp_path / "b").newest()[1]
    )


def test_of_many_processes_one_makes_the_secret(path: Path) -> None:
    """All that start at once sign with the same one."""
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: SecretsFile(path).newest(), range(32)))
    assert len(set(made)) == 1


def test_rotation_is_noticed_by_those_who_run(path: Path) -> None:
    """The new secret signs at once; old ones verify until they are too many."""
    running = SecretsFile(path)
    first, secret = running.newest()
    SecretsFile(path).rotate(keep=2)
    second, _ = running.newest()
    assert second != first
    assert running.named(first) == secret
    SecretsFile(path).rotate(keep=2)
    assert running.named(first) is None
    assert running.named(second)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '{"a": 1}', '{"a": "c2hvcnQ="}', "\xff"]
)
def test_a_damaged_file_stops_the_service_with_a_sentence(
    path: Path, text: str
) -> None:
    """It is never replaced silently: that would break links."""
    path.parent.mkdir()
    path.write_text(text, encoding="latin-1")
    with pytest.raises(ConfigurationInvalid, match=r"signing-keys\.json"):
        SecretsFile(path).newest()
    assert path.read_text(encoding="latin-1") == text
