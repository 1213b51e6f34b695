"""A signed link says one thing, and nobody else can make it say another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given, strategies as st

from pixtools.domain.errors import LinkExpired, LinkInvalid
from pixtools.storage.signing import Method, Permission, sign, verify

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=15)


class TwoSecrets:
    """An old secret and a new one."""

    def __init__(self) -> None:
        self.keys = {"new": b"n" * 32, "old": b"o" * 32}

    def newest(self) -> tuple[str, bytes]:
        return next(iter(self.keys.items()))

    def named(self, name: str) -> bytes | None:
        return self.keys.get(name)


SECRETS = TwoSecrets()
UPLOAD = Permission(
    method="PUT",
    key="raw/0198c0de/source",
    expires_at=LATER,
    content_type="image/jpeg",
    bytes=1234,
    sha256="ab" * 32,
)
DOWNLOAD = Permission(
    method="GET",
    key="processed/0198c0de/web.webp",
    expires_at=LATER,
    filename="Łódź ☀.webp",
    content_type="image/webp",
)

permissions = st.builds(
    Permission,
    method=st.sampled_from(["GET", "PUT"]),
    key=st.from_regex(r"[a-z]{1,8}/[a-z0-9]{1,8}", fullmatch=True),
    expires_at=st.integers(1, 10**9).map(lambda s: NOW + timedelta(seconds=s)),
    filename=st.none() | st.text(max_size=40),
    content_type=st.none() | st.just("image/png"),
    bytes=st.none() | st.integers(0, 2**40),
    sha256=st.none() | st.binary(min_size=32, max_size=32).map(bytes.hex),
)


@given(permissions)
def test_what_was_signed_is_what_is_read(permission: Permission) -> None:
    """Every field travels, and the token is fit for a URL."""
    token = sign(permission, SECRETS)
    assert verify(token, permission.method, permission.key, NOW, SECRETS) == permission
    assert set(token) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
    )


@given(permissions, st.data())
def test_a_flipped_bit_breaks_it(permission: Permission, data: st.DataObject) -> None:
    """Any single bit, of token, key or method."""
    token = sign(permission, SECRETS)
    signed = f"{permission.method}\n{permission.key}\n{token}"
    at = data.draw(st.integers(0, len(signed) * 8 - 1))
    octets = bytearray(signed.encode())
    octets[at // 8] ^= 1 << at % 8
    parts: list[Any] = octets.decode("latin-1").split("\n")
    assume(len(parts) == 3)
    method, key, forged = parts
    with pytest.raises(LinkInvalid):
        verify(forged, method, key, NOW, SECRETS)


@given(st.text(max_size=80))
def test_no_text_passes_for_a_token(text: str) -> None:
    """Whatever comes in, the answer is a refusal and not a fault."""
    with pytest.raises(LinkInvalid):
        verify(text, "GET", "raw/x/source", NOW, SECRETS)


@pytest.mark.parametrize(
    ("method", "key"),
    [("GET", UPLOAD.key), ("PUT", DOWNLOAD.key), ("PUT", UPLOAD.key + "2")],
)
def test_a_token_is_for_one_method_and_one_key(method: Method, key: str) -> None:
    """It opens nothing else."""
    with pytest.raises(LinkInvalid):
        verify(sign(UPLOAD, SECRETS), method, key, NOW, SECRETS)


def test_claims_of_one_token_do_not_pass_with_the_signature_of_another() -> None:
    """Both halves belong together."""
    claims = sign(UPLOAD, SECRETS).partition(".")[0]
    other = Permission(method="PUT", key=UPLOAD.key, expires_at=LATER)
    signature = sign(other, SECRETS).partition(".")[2]
    with pytest.raises(LinkInvalid):
        verify(f"{claims}.{signature}", "PUT", UPLOAD.key, NOW, SECRETS)


def test_a_link_lapses_at_its_second() -> None:
    """Good until then, and not then."""
    token = sign(DOWNLOAD, SECRETS)
    just_before = LATER - timedelta(microseconds=1)
    assert verify(token, "GET", DOWNLOAD.key, just_before, SECRETS) == DOWNLOAD
    with pytest.raises(LinkExpired, match="2026-07-01 12:15:00 UTC"):
        verify(token, "GET", DOWNLOAD.key, LATER, SECRETS)


def test_a_forged_link_is_never_called_expired() -> None:
    """Who can't sign learns nothing."""
    token = sign(DOWNLOAD, SECRETS)
    with pytest.raises(LinkInvalid) as refused:
        verify(token + "x", "GET", DOWNLOAD.key, LATER, SECRETS)
    assert refused.value.code == "link_invalid"


def test_an_older_secret_still_verifies_until_it_is_dropped() -> None:
    """So secrets rotate without breaking links."""
    secrets = TwoSecrets()
    token = sign(DOWNLOAD, secrets)
    secrets.keys = {"newer": b"x" * 32, **secrets.keys}
    assert verify(token, "GET", DOWNLOAD.key, NOW, secrets) == DOWNLOAD
    assert sign(DOWNLOAD, secrets) != token
    del secrets.keys["new"]
    with pytest.raises(LinkInvalid):
        verify(token, "GET", DOWNLOAD.key, NOW, secrets)
