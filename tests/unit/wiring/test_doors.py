"""A port is taken early, and answered only when somebody is there to answer."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from pixtools.domain.errors import ConfigurationInvalid
from pixtools.wiring.machine import admit, bind


def test_until_the_service_is_ready_clients_are_refused() -> None:
    """Nobody's request lies there while the service starts, or fails to."""
    with closing(bind("127.0.0.1", 0)) as door:
        address = door.getsockname()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, timeout=20)
        admit(door)
        socket.create_connection(address, timeout=20).close()


def test_a_port_that_is_taken_is_told_before_anything_is_started() -> None:
    with closing(bind("127.0.0.1", 0)) as other:
        admit(other)
        port = other.getsockname()[1]
        with pytest.raises(ConfigurationInvalid, match=f"PORT {port} on 127.0.0.1"):
            bind("127.0.0.1", port)


def test_of_two_that_start_at_once_the_later_one_is_told() -> None:
    with closing(bind("127.0.0.1", 0)) as first:
        port = first.getsockname()[1]
        with closing(bind("127.0.0.1", port)) as second:
            admit(first)
            with pytest.raises(ConfigurationInvalid, match=f"PORT {port}"):
                admit(second)


def test_an_address_that_is_not_here_is_told() -> None:
    with pytest.raises(ConfigurationInvalid, match=r"PORT 1 on nowhere\.invalid"):
        bind("nowhere.invalid", 1)


def test_a_name_is_where_most_clients_look_for_it() -> None:
    with closing(bind("localhost", 0)) as door:
        assert door.getsockname()[0] == "127.0.0.1"


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine speaks no IPv6")
def test_an_address_may_be_of_either_kind() -> None:
    with closing(bind("::1", 0)) as door:
        assert door.family == socket.AF_INET6
