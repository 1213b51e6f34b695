"""The gate believes what it found out for a moment, and no longer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.gates import a_keyring

from pixtools.domain.errors import CredentialsInvalid
from pixtools.identity.config import GateConfig
from pixtools.identity.gate import Gate
from pixtools.identity.memory import Recent
from pixtools.testing.house import House


class Watched:
    """A gate whose clock stands until it is moved."""

    def __init__(self) -> None:
        self.time = 0.0
        self.ring = a_keyring(House())
        config = GateConfig(freshness=timedelta(seconds=2))
        self.gate = Gate(config, self.ring, now=lambda: self.time)


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_a_key_that_was_revoked_is_good_for_two_seconds_at_most(
    watched: Watched,
) -> None:
    key, text = watched.ring.create(tenant="ann")
    assert watched.gate.recall(text) is None
    assert watched.gate.identify(text).tenant == "ann"
    watched.ring.revoke(key.id)
    assert watched.gate.recall(text) is not None
    watched.time = 2
    assert watched.gate.recall(text) is None
    with pytest.raises(CredentialsInvalid):
        watched.gate.identify(text)
    assert not watched.gate.trusts(text)


def test_the_first_key_closes_the_gate_within_two_seconds(watched: Watched) -> None:
    gate, seen = watched.gate, []
    for time in (0, 1, 2, 1_000_000):
        watched.time = time
        seen.append((known := gate.closed, gate.look() if known is None else known))
        if time == 0:
            watched.ring.create()
    assert seen == [(None, False), (False, False), (None, True), (True, True)]


def test_a_cookie_is_no_key_and_a_key_no_cookie(watched: Watched) -> None:
    """Not even within the moment for which each is remembered."""
    _, text = watched.ring.create(tenant="ann")
    who, cookie, _ = watched.gate.sign_in(text)
    assert watched.gate.identify(text) == who
    assert watched.gate.identify(cookie, cookie=True) == who
    assert watched.gate.recall(text, cookie=True) is None
    assert watched.gate.recall(cookie) is None
    for wrong, as_cookie in ((text, True), (cookie, False)):
        with pytest.raises(CredentialsInvalid):
            watched.gate.identify(wrong, cookie=as_cookie)


def test_keys_can_be_changed_without_a_refusal(watched: Watched) -> None:
    """A second key, then away with the first: one of the two is good all the time."""
    old, first = watched.ring.create(tenant="ann")
    _, second = watched.ring.create(tenant="ann")
    assert {watched.gate.identify(text).tenant for text in (first, second)} == {"ann"}
    watched.ring.revoke(old.id)
    watched.time = 2
    assert watched.gate.identify(second).tenant == "ann"
    with pytest.raises(CredentialsInvalid):
        watched.gate.identify(first)


def test_what_is_remembered_is_bounded_and_holds_no_key() -> None:
    who = Watched().ring.create()[0].identity
    recent = Recent(2, now=lambda: 0)
    for number in range(3000):
        recent.keep(f"key {number}", who)
    assert recent.fresh("key 0") is None
    assert recent.fresh("key 2999") == who
    assert "key 2999" not in repr(vars(recent))
