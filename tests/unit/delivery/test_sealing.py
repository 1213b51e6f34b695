"""Secrets at rest: of no use to who reads the database alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixtools.delivery.sealing import DerivedKey, FernetSealer
from pixtools.domain.errors import ConfigurationInvalid
from pixtools.storage.secrets_file import SecretsFile

OLD, NEW = b"an old secret of ours", b"a new secret of ours"
SECRET = "whsec_geheim"


def given(secret: bytes) -> FernetSealer:
    return FernetSealer(DerivedKey(secret))


def test_what_is_sealed_shows_nothing_and_can_be_read_again() -> None:
    sealed = given(OLD).seal(SECRET)
    assert SECRET not in sealed
    assert OLD.decode() not in sealed
    assert given(OLD).seal(SECRET) != sealed
    assert given(OLD).unseal(sealed) == SECRET


@pytest.mark.parametrize("bend", [lambda s: s[:-2], lambda s: "x" + s, lambda s: ""])
def test_another_key_or_a_bent_text_is_said_to_be_no_use(bend: object) -> None:
    assert callable(bend)
    sealed = given(OLD).seal(SECRET)
    with pytest.raises(ConfigurationInvalid, match="SECRET_KEY"):
        given(NEW).unseal(sealed)
    with pytest.raises(ConfigurationInvalid, match="SECRET_KEY"):
        given(OLD).unseal(bend(sealed))


def test_without_a_given_key_one_is_made_and_kept_private(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    sealed = FernetSealer(SecretsFile(file)).seal(SECRET)
    assert file.stat().st_mode & 0o077 == 0
    assert FernetSealer(SecretsFile(file)).unseal(sealed) == SECRET
