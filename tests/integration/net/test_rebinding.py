"""A name that leads elsewhere a moment later leads nowhere: a real server listens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from ipaddress import IPv4Network

import pytest

from pixtools.domain.errors import SourceRefused
from pixtools.net.client import Client
from pixtools.net.config import GuardConfig
from pixtools.net.errors import Refused
from pixtools.net.guard import Guard
from pixtools.testing.hostile_destinations import PUBLIC
from pixtools.testing.stranger import ALLOWED, Stranger, answer_of, ok, saying

HERE = "127.0.0.1"
INSIDE = "10.0.0.1"


@pytest.fixture
def stranger() -> Iterator[Stranger]:
    with Stranger(saying(ok(b"GIF89a"))) as server:
        yield server


def moving(
    *answers: Sequence[str], networks: tuple[IPv4Network, ...] = ()
) -> tuple[Guard, Callable[[], int]]:
    """A guard whose resolver gives these answers in turn, and how many are left."""
    left = list(answers)
    config = GuardConfig(networks=networks)
    return Guard(config, lambda host, port: left.pop(0)), lambda: len(left)


def test_public_when_given_and_ours_when_dialled(stranger: Stranger) -> None:
    guard, left = moving([PUBLIC], [HERE], [HERE])
    guard.check(stranger.url())
    client = Client(guard)
    with pytest.raises(Refused):
        client.post(stranger.url(), headers={}, body=b"{}", timeout=30)
    with pytest.raises(SourceRefused):
        client.fetch(stranger.url(), bytearray().extend, limit=99, timeout=30)
    assert (stranger.asked, left()) == ([], 0)


def test_ours_beside_a_public_one_when_dialled(stranger: Stranger) -> None:
    guard, left = moving([PUBLIC], [HERE, PUBLIC])
    guard.check(stranger.url())
    with pytest.raises(Refused):
        Client(guard).post(stranger.url(), headers={}, body=b"{}", timeout=30)
    assert (stranger.asked, left()) == ([], 0)


def test_what_was_looked_up_is_dialled_without_a_second_look(
    stranger: Stranger,
) -> None:
    """The answer that would come next leads inside, and nobody asks for it."""
    guard, left = moving([HERE], [INSIDE], networks=(ALLOWED,))
    answer = Client(guard).post(stranger.url(), headers={}, body=b"{}", timeout=30)
    assert (answer.status, left()) == (200, 1)


def test_inside_by_the_time_of_a_redirect_to_the_same_name() -> None:
    with Stranger(saying(answer_of(302, location="/again"))) as stranger:
        guard, left = moving([HERE], [INSIDE], networks=(ALLOWED,))
        with pytest.raises(SourceRefused):
            Client(guard).fetch(
                stranger.url(), bytearray().extend, limit=99, timeout=30
            )
        assert (len(stranger.asked), left()) == (1, 0)
