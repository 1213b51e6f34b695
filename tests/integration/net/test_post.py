"""What a receiver may do to us: nothing but answer."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.net.conftest import Meet
from tests.stopwatch import Stopwatch

from pixtools.net.client import Answer, Client
from pixtools.net.config import GuardConfig
from pixtools.net.errors import Unreachable
from pixtools.net.guard import Guard
from pixtools.testing.certificates import Authority
from pixtools.testing.stranger import (
    ALLOWED,
    Asked,
    Stranger,
    answer_of,
    ok,
    saying,
)


def post(stranger: Stranger, client: Client, timeout: float = 30) -> Answer:
    return client.post(
        stranger.url("/hook?a=b"),
        headers={"webhook-id": "msg_1", "content-type": "application/json"},
        body=b'{"type":"job.succeeded"}',
        timeout=timeout,
    )


def test_a_receiver_gets_the_body_under_its_own_name(meet: Meet) -> None:
    stranger, client = meet(ok(b"thanks", x_seen="1"))
    answer = post(stranger, client)
    asked = stranger.asked[0]
    assert asked.line == "POST /hook?a=b HTTP/1.1"
    assert asked.headers["host"] == f"stranger.example:{stranger.port}"
    assert asked.headers["webhook-id"] == "msg_1"
    assert asked.body == b'{"type":"job.succeeded"}'
    assert (answer.status, answer.body, answer.headers["x-seen"]) == (
        200,
        b"thanks",
        "1",
    )
    assert 0 <= answer.ms < 30_000


def test_a_name_is_looked_up_once_for_each_call(meet: Meet) -> None:
    """There is no second answer that could be another one."""
    stranger, client = meet(ok())
    post(stranger, client)
    assert stranger.names == ["stranger.example"]


def test_no_redirect_is_followed(meet: Meet) -> None:
    stranger, client = meet(answer_of(307, location="/elsewhere"))
    assert post(stranger, client).status == 307
    assert len(stranger.asked) == 1


def test_proxies_of_the_environment_are_not_asked(
    meet: Meet, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, _ = meet(ok())
    stranger, client = meet(ok())
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    assert post(stranger, client).status == 200
    assert (len(stranger.asked), proxy.asked) == (1, [])


def test_of_a_huge_answer_only_its_start_is_read(meet: Meet) -> None:
    def pour(asked: Asked, line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            line.sendall(bytes(65536))

    stranger, client = meet(pour)
    assert post(stranger, client).body == bytes(2048)


def test_an_answer_is_not_unpacked(meet: Meet) -> None:
    packed = b"\x1f\x8b\x08 a bomb"
    stranger, client = meet(ok(packed, content_encoding="gzip"))
    assert post(stranger, client).body == packed


def test_an_answer_that_is_cut_after_its_status_counts(meet: Meet) -> None:
    stranger, client = meet(b"HTTP/1.1 204 Fine\r\ncontent-length: 10\r\n\r\nha")
    stranger_of_two, client_of_two = meet(
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"
    )
    assert post(stranger, client).status == 204
    assert post(stranger_of_two, client_of_two).body == b"half"


def test_a_body_that_drips_is_given_up_and_its_status_counts(meet: Meet) -> None:
    def drip(asked: Asked, line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not stranger.leaving.wait(0.02):
            line.sendall(b".")

    stranger, client = meet(drip)
    assert post(stranger, client, timeout=0.3).status == 200


def dripping_head(asked: Asked, line: socket.socket) -> None:
    for _ in range(3000):
        time.sleep(0.02)
        line.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


def flooding(asked: Asked, line: socket.socket) -> None:
    while True:
        line.sendall(b"HTTP/1.1 102 Processing\r\n\r\n" * 1000)


def endless_headers(asked: Asked, line: socket.socket) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        line.sendall(b"x: " + b"y" * 65536)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200",
        b"220 mail.example ESMTP\r\n",
        b"HTTP/1.1 200 OK\r\nbroken header\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 99999 OK\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nabc",
        b"\x00" * 300_000,
        dripping_head,
        flooding,
        endless_headers,
    ],
    ids=[
        *(
            "silence",
            "half a line",
            "mail",
            "no header",
            "no length",
            "no status",
            "another protocol",
        ),
        *(
            "zeros",
            "drips interim answers",
            "floods interim answers",
            "endless headers",
        ),
    ],
)
def test_whoever_does_not_speak_http_in_time_is_unreachable(
    meet: Meet, answer: bytes | Callable[[Asked, socket.socket], None]
) -> None:
    stranger, client = meet(answer)
    with Stopwatch() as watch, pytest.raises(Unreachable) as refusal:
        post(stranger, client, timeout=0.5)
    assert refusal.value.detail == "The address does not answer."
    assert watch.seconds < 5


def test_whoever_takes_no_bytes_is_given_up(meet: Meet) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1) as deaf:
        port = deaf.getsockname()[1]
        guard = Guard(
            GuardConfig(networks=(ALLOWED,)), lambda host, port: ["127.0.0.1"]
        )
        with pytest.raises(Unreachable):
            Client(guard).post(
                f"http://deaf.example:{port}/",
                headers={},
                body=bytes(2**24),
                timeout=0.3,
            )


def test_where_one_address_does_not_answer_the_next_one_is_dialled(meet: Meet) -> None:
    stranger, _ = meet(ok())
    guard = Guard(
        GuardConfig(networks=(ALLOWED,)), lambda host, port: ["127.0.0.99", "127.0.0.1"]
    )
    assert post(stranger, Client(guard)).status == 200


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


class TestEncrypted:
    def test_the_name_is_asked_for_and_has_to_be_proved(
        self, authority: Authority, tmp_path: Path
    ) -> None:
        """The address is dialled, but the host is who is talked to."""
        names: list[str | None] = []
        context = authority.server("stranger.example", tmp_path)
        context.sni_callback = lambda _line, name, _context: names.append(name)
        with Stranger(saying(ok()), context) as stranger:
            guard = Guard(GuardConfig(networks=(ALLOWED,)), stranger.known)
            assert post(stranger, Client(guard, authority.client())).status == 200
        assert names == ["stranger.example"]
        assert stranger.asked[0].headers["host"].startswith("stranger.example:")

    @pytest.mark.parametrize("trusted", [True, False])
    def test_whoever_can_not_prove_it_gets_nothing(
        self, authority: Authority, tmp_path: Path, trusted: bool
    ) -> None:
        """Neither with another host's certificate nor with a stranger's authority."""
        signer = authority if trusted else Authority()
        host = "other.example" if trusted else "stranger.example"
        with Stranger(saying(ok()), signer.server(host, tmp_path)) as stranger:
            guard = Guard(GuardConfig(networks=(ALLOWED,)), stranger.known)
            with pytest.raises(Unreachable):
                post(stranger, Client(guard, authority.client()))
        assert stranger.asked == []

    def test_a_handshake_that_hangs_is_given_up(self, authority: Authority) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"https://silent.example:{silent.getsockname()[1]}/"
            guard = Guard(
                GuardConfig(networks=(ALLOWED,)), lambda host, port: ["127.0.0.1"]
            )
            with pytest.raises(Unreachable):
                Client(guard, authority.client()).post(
                    url, headers={}, body=b"", timeout=0.3
                )
