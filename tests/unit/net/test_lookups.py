"""Names are looked up in a limited time, by a limited number of threads."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from threading import Event

import pytest

from pixtools.net.config import GuardConfig
from pixtools.net.deadline import Deadline
from pixtools.net.destination import destination_of
from pixtools.net.errors import Refused, Unreachable
from pixtools.net.guard import Guard
from pixtools.testing.hostile_destinations import PUBLIC

URL = "https://receiver.example/"


class Hanging:
    """A resolver that answers when it is let go."""

    def __init__(self) -> None:
        self.go = Event()
        self.asked = 0

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        self.go.wait()
        return [PUBLIC]


def failing(code: int) -> Guard:
    def resolve(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(code, "no")

    return Guard(GuardConfig(), resolve)


def test_a_resolver_that_is_away_refuses_nobody() -> None:
    """The name is looked at again when it is dialled."""
    guard = failing(socket.EAI_AGAIN)
    guard.check(URL)
    with pytest.raises(Unreachable):
        guard.addresses(destination_of(URL), Deadline(5))


@pytest.mark.parametrize("code", [socket.EAI_NONAME, socket.EAI_FAIL])
def test_a_name_that_does_not_exist_is_refused_like_a_private_one(code: int) -> None:
    """Whoever asks learns nothing about the names inside."""
    with pytest.raises(Refused):
        failing(code).check(URL)


def test_a_resolver_that_raises_something_else_is_no_way_in() -> None:
    def resolve(host: str, port: int) -> Sequence[str]:
        raise UnicodeError("label too long")

    with pytest.raises(Refused):
        Guard(GuardConfig(), resolve).check(URL)


def test_a_lookup_that_hangs_is_not_waited_for() -> None:
    hanging = Hanging()
    guard = Guard(GuardConfig(), hanging)
    guard.check(URL, 0.05)
    with pytest.raises(Unreachable):
        guard.addresses(destination_of(URL), Deadline(0.05))
    hanging.go.set()


def test_of_lookups_that_hang_there_are_only_so_many() -> None:
    hanging = Hanging()
    guard = Guard(GuardConfig(most_lookups=2), hanging)
    for _ in range(4):
        guard.check(URL, 0.01)
    assert hanging.asked == 2
    hanging.go.set()
    assert guard.addresses(destination_of(URL), Deadline(30)) == (PUBLIC,)


def test_an_address_in_numbers_is_refused_however_busy_the_resolver_is() -> None:
    """Nobody has to be asked for it; and in no time nobody is."""
    hanging = Hanging()
    guard = Guard(GuardConfig(), hanging)
    guard.check(URL, 0)
    for url in ("http://127.0.0.1/", "file:///etc/passwd", "http://a@b.example/"):
        with pytest.raises(Refused):
            guard.check(url, 0)
    assert hanging.asked == 0


def test_whoever_waits_for_a_name_may_be_told_to_stop() -> None:
    class Stop(Exception):
        pass

    def stop() -> None:
        raise Stop

    hanging = Hanging()
    guard = Guard(GuardConfig(), hanging)
    with pytest.raises(Stop):
        guard.addresses(destination_of(URL), Deadline(30, stop))
    hanging.go.set()


def test_the_system_is_asked_for_every_address() -> None:
    guard = Guard(GuardConfig())
    with pytest.raises(Refused):
        guard.check("http://localhost/")
