"""The keys of an issuer: asked for now and then, and waited for by few."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.unit.identity.issuing import ISSUER, NOW, FakeIssuer, a_key

from pixtools.domain.errors import CredentialsInvalid, IssuerUnavailable


@pytest.fixture
def issuer() -> FakeIssuer:
    return FakeIssuer()


def test_a_new_key_is_known_at_once(issuer: FakeIssuer) -> None:
    tokens = issuer.tokens()
    tokens.identify(issuer.token())
    old = issuer.token()
    issuer.keys.insert(0, a_key("two"))
    issuer.clock = 11
    assert tokens.identify(issuer.token()).tenant
    assert tokens.identify(old).tenant
    assert issuer.asked == 2


def test_a_key_that_was_withdrawn_is_no_longer_good(issuer: FakeIssuer) -> None:
    tokens = issuer.tokens()
    stolen = issuer.token(exp=NOW + 9999)
    assert tokens.identify(stolen).tenant
    issuer.keys = [a_key("two")]
    issuer.clock = 301
    with pytest.raises(CredentialsInvalid):
        tokens.identify(stolen)


def test_strangers_do_not_have_us_ask_without_end(issuer: FakeIssuer) -> None:
    tokens = issuer.tokens()
    tokens.identify(issuer.token())
    for number in range(20):
        issuer.clock += 1
        with pytest.raises(CredentialsInvalid):
            tokens.identify(issuer.token(key=a_key(f"made-up-{number}")))
    assert issuer.asked <= 3


def test_keys_are_asked_for_now_and_then_not_each_time(issuer: FakeIssuer) -> None:
    tokens = issuer.tokens()
    for clock in (0, 100, 299, 301, 500):
        issuer.clock = clock
        tokens.identify(issuer.token())
    assert issuer.asked == 2


def test_an_issuer_that_is_away_is_missed_only_later(issuer: FakeIssuer) -> None:
    tokens = issuer.tokens()
    tokens.identify(issuer.token())
    issuer.away = True
    for clock in (400, 800, 3599):
        issuer.clock = clock
        assert tokens.identify(issuer.token(exp=NOW + 9999)).tenant
    issuer.clock = 3601
    with pytest.raises(IssuerUnavailable):
        tokens.identify(issuer.token(exp=NOW + 9999))
    issuer.away, issuer.clock = False, 3700
    assert tokens.identify(issuer.token(exp=NOW + 9999)).tenant


def test_nobody_waits_for_new_keys_while_the_old_ones_will_do(
    issuer: FakeIssuer,
) -> None:
    tokens = issuer.tokens()
    token = issuer.token(exp=NOW + 9999)
    tokens.identify(token)
    issuer.clock, issuer.silent = 400, True
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(tokens.identify, token)
        assert issuer.waited_for.wait(10)
        assert tokens.identify(token).tenant
        assert not first.done()
        issuer.speaks.set()
        assert first.result(10).tenant


def test_who_has_waited_in_vain_asks_no_second_time(issuer: FakeIssuer) -> None:
    tokens = issuer.tokens()
    issuer.silent = True
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(tokens.identify, issuer.token()) for _ in range(3)]
        assert issuer.waited_for.wait(10)
        issuer.away, issuer.clock = True, 10
        issuer.waited_for.clear()
        issuer.speaks.set()
        for each in waiting:
            with pytest.raises(IssuerUnavailable):
                each.result(10)
    assert not issuer.waited_for.is_set()


@pytest.mark.parametrize(
    "discovery",
    [
        {},
        {"issuer": ISSUER},
        {
            "issuer": "https://evil.example",
            "jwks_uri": "https://login.example/keys",
        },
        {"issuer": ISSUER, "jwks_uri": "http://login.example/keys"},
        {"issuer": ISSUER, "jwks_uri": 17},
    ],
)
def test_an_issuer_that_does_not_say_what_it_must_is_not_believed(
    issuer: FakeIssuer, discovery: dict[str, Any]
) -> None:
    issuer.discovery = discovery
    with pytest.raises(IssuerUnavailable):
        issuer.tokens().identify(issuer.token())
