"""Nobody can talk the service into calling where only it can reach."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator, Sequence
from ipaddress import ip_network

import pytest

from pixtools.domain.errors import SourceRefused
from pixtools.net.client import Client
from pixtools.net.config import GuardConfig
from pixtools.net.destination import destination_of
from pixtools.net.errors import Refused
from pixtools.net.guard import Guard
from pixtools.testing.hostile_destinations import (
    HARMLESS,
    HOSTILE,
    PUBLIC,
    answered,
)

KNOWN = {
    "inside.example": ["10.1.2.3", "fd00:1::7"],
    "half.example": ["10.1.2.3", "10.2.0.1"],
}
_DIALLED: list[object] = []


def _listen(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.connect":
        _DIALLED.append(arguments[1])


@pytest.fixture(scope="module", autouse=True)
def _ear() -> None:
    sys.addaudithook(_listen)  # it can't be taken off again, and costs next to nothing


@pytest.fixture
def dialled() -> Iterator[list[object]]:
    """Every address that Python connects to, whatever library asks it."""
    _DIALLED.clear()
    yield _DIALLED
    _DIALLED.clear()


@pytest.fixture(scope="module")
def guard() -> Guard:
    return Guard(GuardConfig(), answered)


@pytest.fixture(scope="module")
def client(guard: Guard) -> Client:
    return Client(guard)


def test_the_corpus_is_as_large_as_was_promised() -> None:
    assert len(set(HOSTILE)) == len(HOSTILE) >= 60


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_destination_is_refused_when_it_is_given(
    guard: Guard, url: str
) -> None:
    with pytest.raises(Refused) as refusal:
        guard.check(url)
    assert refusal.value.code == "unsafe_destination"
    assert refusal.value.detail == "This address can't be used."


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_destination_is_refused_when_it_is_dialled(
    client: Client, dialled: list[object], url: str
) -> None:
    with pytest.raises(Refused) as refusal:
        client.post(url, headers={}, body=b"", timeout=5)
    assert refusal.value.detail == "This address can't be used."
    with pytest.raises(SourceRefused) as refusal_of_a_source:
        client.fetch(url, bytearray().extend, limit=1, timeout=5)
    text = "The source can't be fetched from this address."
    assert refusal_of_a_source.value.detail == text
    assert dialled == []


@pytest.mark.parametrize("url", HARMLESS)
def test_a_public_destination_is_not_refused(guard: Guard, url: str) -> None:
    guard.check(url)


def test_what_is_dialled_is_heard(dialled: list[object]) -> None:
    """Else the silence of the refused ones would prove nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        networks = (ip_network("127.0.0.0/8"),)
        seen = Client(Guard(GuardConfig(networks=networks), answered))
        with pytest.raises(Exception, match="does not answer"):
            seen.post(
                f"http://127.0.0.1:{address[1]}/", headers={}, body=b"", timeout=0.2
            )
    assert dialled == [address]


def test_a_name_that_moves_after_the_check_is_refused_when_it_is_dialled(
    dialled: list[object],
) -> None:
    """Rebinding: public when it was given, private when it is called."""
    answers = [[PUBLIC], ["127.0.0.1"]]

    def moving(host: str, port: int) -> Sequence[str]:
        return answers.pop(0)

    guard = Guard(GuardConfig(), moving)
    guard.check("https://receiver.example/")
    with pytest.raises(Refused):
        Client(guard).post("https://receiver.example/", headers={}, body=b"", timeout=5)
    assert dialled == []


def test_where_only_https_is_wanted_nothing_goes_in_the_clear() -> None:
    guard = Guard(GuardConfig(https_only=True), answered)
    guard.check("https://receiver.example/")
    with pytest.raises(Refused):
        guard.check("http://receiver.example/")
    with pytest.raises(Refused):
        guard.admitted(destination_of("http://8.8.8.8/"))


class TestNetworksOfTheOperator:
    """What the operator allows is called, and nothing beside it."""

    @pytest.fixture
    def guard(self) -> Guard:
        networks = (ip_network("10.1.0.0/16"), ip_network("fd00:1::/32"))
        return Guard(GuardConfig(networks=networks), lambda host, port: KNOWN[host])

    @pytest.mark.parametrize(
        "url",
        [
            "http://10.1.2.3:8080/",
            "http://[::ffff:10.1.2.3]/",
            "http://[fd00:1::7]/",
            "http://inside.example/",
            "https://8.8.8.8/",
        ],
    )
    def test_allowed(self, guard: Guard, url: str) -> None:
        guard.check(url)

    @pytest.mark.parametrize(
        "url",
        [
            "http://10.2.0.1/",
            "http://127.0.0.1/",
            "http://[64:ff9b::a01:203]/",
            "http://half.example/",
            "http://10.1.2.3:22/",
            "http://me@10.1.2.3/",
        ],
    )
    def test_refused(self, guard: Guard, url: str) -> None:
        with pytest.raises(Refused):
            guard.check(url)
