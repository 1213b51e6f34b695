"""Signatures are those of Standard Webhooks: another implementation verifies them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from pixtools.domain.signature import (
    VALID,
    is_secret,
    secret_of,
    signed_headers,
    verdict,
)
from pixtools.domain.webhook import host_of

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
AT = datetime.fromtimestamp(1614265330, UTC)
BODY = b'{"test": 2432232314}'


def test_the_published_example_comes_out() -> None:
    headers = signed_headers(ID, AT, BODY, [SECRET])
    assert headers == {
        "webhook-id": ID,
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    assert verdict(headers, BODY, SECRET, AT) == VALID


@given(body=st.text().map(str.encode), secret=st.binary(min_size=24, max_size=64))
def test_the_standard_library_verifies_what_we_sign(body: bytes, secret: bytes) -> None:
    text = secret_of(secret)
    headers = signed_headers("msg_1", datetime.now(UTC), b"[%d]" % len(body), [text])
    Webhook(text).verify(b"[%d]" % len(body), headers)
    assert is_secret(text)


def test_a_time_in_any_zone_signs_the_same() -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert signed_headers(ID, elsewhere, BODY, [SECRET]) == signed_headers(
        ID, AT, BODY, [SECRET]
    )


def test_both_secrets_verify_during_a_rotation() -> None:
    old, new = secret_of(b"a" * 32), secret_of(b"b" * 32)
    headers = signed_headers("msg_1", datetime.now(UTC), BODY, [new, old])
    for secret in (old, new):
        Webhook(secret).verify(BODY, headers)
        assert verdict(headers, BODY, secret, datetime.now(UTC)) == VALID
    with pytest.raises(WebhookVerificationError):
        Webhook(secret_of(b"c" * 32)).verify(BODY, headers)


@given(where=st.integers(0, len(BODY) * 8 - 1))
def test_a_flipped_bit_breaks_the_signature(where: int) -> None:
    headers = signed_headers(ID, AT, BODY, [SECRET])
    bent = bytearray(BODY)
    bent[where // 8] ^= 1 << where % 8
    assert verdict(headers, bytes(bent), SECRET, AT) == "no signature matches"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"webhook-id": ""}, "missing header webhook-id"),
        ({"webhook-id": "msg_other"}, "no signature matches"),
        ({"webhook-timestamp": "soon"}, "webhook-timestamp is no number of seconds"),
        ({"webhook-timestamp": "²"}, "webhook-timestamp is no number of seconds"),
        ({"webhook-timestamp": "1614265331"}, "no signature matches"),
        ({"webhook-signature": "v1,AAAA"}, "no signature matches"),
        ({"webhook-signature": "ÿ v2,x"}, "no signature matches"),
    ],
)
def test_what_is_wrong_is_said(changed: dict[str, str], said: str) -> None:
    headers = signed_headers(ID, AT, BODY, [SECRET]) | changed
    assert verdict(headers, BODY, SECRET, AT) == said


@pytest.mark.parametrize(
    ("minutes", "fresh"), [(-4, True), (4, True), (-6, False), (6, False)]
)
def test_a_message_is_fresh_for_five_minutes(minutes: int, fresh: bool) -> None:
    headers = signed_headers(ID, AT, BODY, [SECRET])
    said = verdict(headers, BODY, SECRET, AT + timedelta(minutes=minutes))
    assert (said == VALID) is fresh


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_AAAA", "secret", "whsec_é"])
def test_what_is_no_secret_is_known(text: str) -> None:
    assert not is_secret(text)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Example.ORG/a?b", "example.org:443"),
        ("http://example.org.", "example.org:80"),
        ("http://[::1]:8080/x", "::1:8080"),
        ("https://example.org:8443", "example.org:8443"),
    ],
)
def test_a_host_is_always_written_the_same_way(url: str, host: str) -> None:
    assert host_of(url) == host
