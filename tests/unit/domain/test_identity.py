"""What a key looks like, so that scanners find it and typing errors are told apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from pixtools.domain.identity import (
    KEY_BYTES,
    ApiKey,
    is_key_text,
    is_tenant,
    key_text,
    shown_key,
)

NOW = datetime(2026, 1, 2, tzinfo=UTC)
TEXT = key_text(bytes(range(KEY_BYTES)))


def test_a_key_is_written_the_same_for_ever() -> None:
    """Scanners of others look for it: prefix, 33 characters, and their CRC-32."""
    assert TEXT == "ptk_000A7dl5PEW67zZCpFU9uKaHnGgOvQKAR1Co00Y"


@given(st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES))
def test_every_key_is_known_as_one(randomness: bytes) -> None:
    text = key_text(randomness)
    assert is_key_text(text)
    assert len(text) == len(TEXT)


@given(st.integers(4, 42), st.characters(codec="ascii", categories=["L", "N"]))
def test_a_key_with_a_wrong_letter_is_none(at: int, letter: str) -> None:
    wrong = TEXT[:at] + letter + TEXT[at + 1 :]
    assert is_key_text(wrong) == (wrong == TEXT)


@pytest.mark.parametrize("text", ["", "ptk_", TEXT[:-1], TEXT + "0", TEXT.upper()])
def test_what_is_no_key_is_told_without_looking_it_up(text: str) -> None:
    assert not is_key_text(text)


def test_what_is_shown_of_a_key_is_not_the_key() -> None:
    shown = shown_key(TEXT)
    assert len(shown) == 13
    assert TEXT.startswith(shown[:8])
    assert TEXT.endswith(shown[-4:])


def test_a_key_opens_until_it_expires_or_is_revoked() -> None:
    later = NOW + timedelta(seconds=1)
    key = ApiKey(id="1", shown="", digest="", created_at=NOW, expires_at=later)
    assert key.is_live(NOW)
    assert not key.is_live(later)
    gone = ApiKey(id="1", shown="", digest="", created_at=NOW, revoked_at=NOW)
    assert not gone.is_live(NOW)


@pytest.mark.parametrize("name", ["default", "a", "Ann-7_x.y", "x" * 100])
def test_good_names_of_tenants(name: str) -> None:
    assert is_tenant(name)


@pytest.mark.parametrize("name", ["", ".", "../x", "a/b", "a b", "ä", "x" * 101, "a\n"])
def test_a_tenants_name_can_never_lead_into_anothers_objects(name: str) -> None:
    assert not is_tenant(name)
