"""What a stranger may serve: a photo, of limited size, in limited time."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable

import pytest
from tests.integration.net.conftest import Meet

from pixtools.domain.errors import SourceRefused, SourceUnreachable, UploadTooLarge
from pixtools.net.client import Client, Fetched
from pixtools.net.config import GuardConfig
from pixtools.net.guard import Guard
from pixtools.testing.house import tiny_gif
from pixtools.testing.stranger import (
    ALLOWED,
    Asked,
    Stranger,
    answer_of,
    ok,
    saying,
)

GIF = tiny_gif()


def fetch(
    stranger: Stranger,
    client: Client,
    path: str = "/cat.gif",
    *,
    limit: int = 100_000,
    timeout: float = 30,
    beat: Callable[[], None] | None = None,
) -> tuple[Fetched, bytes]:
    came = bytearray()
    fetched = client.fetch(
        stranger.url(path), came.extend, limit=limit, timeout=timeout, beat=beat
    )
    return fetched, bytes(came)


def test_a_photo_comes_as_it_is(meet: Meet) -> None:
    stranger, client = meet(ok(GIF, content_type="image/gif"))
    fetched, came = fetch(stranger, client)
    assert came == GIF
    assert fetched == Fetched(
        content_type="image/gif",
        filename="cat.gif",
        bytes=len(GIF),
        sha256=hashlib.sha256(GIF).hexdigest(),
    )
    assert stranger.asked[0].headers["accept-encoding"] == "identity"
    assert "cookie" not in stranger.asked[0].headers


def leading_on(asked: Asked, line: socket.socket) -> None:
    """Leads through as many others as the path says."""
    left, port = int(asked.path.strip("/")), asked.headers["host"].rpartition(":")[2]
    if left:
        location = f"//host-{left}.example:{port}/{left - 1}"
        line.sendall(answer_of(302, location=location))
    else:
        line.sendall(ok(GIF))


def test_five_redirects_are_followed_and_each_is_looked_up(meet: Meet) -> None:
    stranger, client = meet(leading_on)
    assert fetch(stranger, client, "/5")[1] == GIF
    assert stranger.names == [
        "stranger.example",
        *(f"host-{left}.example" for left in (5, 4, 3, 2, 1)),
    ]


def test_a_redirect_may_name_its_place_in_any_letters(meet: Meet) -> None:
    def lead(asked: Asked, line: socket.socket) -> None:
        if asked.path == "/k%C3%A4tzchen.gif":
            line.sendall(ok(GIF))
        else:
            line.sendall(answer_of(302, location="/kätzchen.gif"))

    assert fetch(*meet(lead))[0].filename == "kätzchen.gif"


def test_a_sixth_redirect_is_not_followed(meet: Meet) -> None:
    stranger, client = meet(leading_on)
    with pytest.raises(SourceRefused, match="more than 5"):
        fetch(stranger, client, "/6")
    assert len(stranger.asked) == 6


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "//10.0.0.1/",
        "http://[::1]:8000/",
        "http://0.0.0.0:8000/",
        "http://inside.example/",
        "file:///etc/passwd",
        "http://me@stranger.example/",
    ],
)
def test_a_redirect_into_a_private_network_is_refused(location: str) -> None:
    """It is said in the words of every refusal: no hop tells what stands behind it."""
    answer = saying(answer_of(302, location=location))

    def resolve(host: str, port: int) -> list[str]:
        return ["10.0.0.1" if host == "inside.example" else "127.0.0.1"]

    with Stranger(answer) as stranger:
        client = Client(Guard(GuardConfig(networks=(ALLOWED,)), resolve))
        with pytest.raises(SourceRefused) as refusal:
            fetch(stranger, client)
    text = "The source can't be fetched from this address."
    assert refusal.value.detail == text
    assert len(stranger.asked) == 1


def pouring(head: bytes, piece: bytes) -> Callable[[Asked, socket.socket], None]:
    def answer(asked: Asked, line: socket.socket) -> None:
        line.sendall(head)
        while True:
            line.sendall(piece)

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 100001\r\n\r\n",
        pouring(b"HTTP/1.1 200 OK\r\n\r\n", bytes(65536)),
        pouring(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            b"10000\r\n" + bytes(65536) + b"\r\n",
        ),
    ],
    ids=["announced", "without an end", "in chunks"],
)
def test_more_bytes_than_a_source_may_have_are_not_taken(
    meet: Meet, answer: bytes | Callable[[Asked, socket.socket], None]
) -> None:
    stranger, client = meet(answer)
    with pytest.raises(UploadTooLarge):
        fetch(stranger, client)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (answer_of(404), "answered 404"),
        (answer_of(403), "answered 403"),
        (answer_of(206, GIF), "answered 206"),
        (answer_of(204), "answered 204"),
        (ok(b"<html>", content_type="text/html"), "found text/html"),
        (ok(b"{}", content_type="application/json; x=1"), "found application/json."),
        (ok(b"{}", content_type="<b>hello</b>"), "found something else"),
        (ok(b"x", content_encoding="gzip"), "packed"),
    ],
)
def test_what_is_no_photo_is_not_asked_for_again(
    meet: Meet, answer: bytes, said: str
) -> None:
    stranger, client = meet(answer)
    with pytest.raises(SourceRefused, match=said) as refusal:
        fetch(stranger, client)
    assert not refusal.value.retryable


@pytest.mark.parametrize(
    "answer",
    [
        answer_of(500),
        answer_of(503),
        answer_of(429),
        b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf",
        b"",
    ],
)
def test_what_may_come_another_time_is_worth_another_try(
    meet: Meet, answer: bytes
) -> None:
    stranger, client = meet(answer)
    with pytest.raises(SourceUnreachable) as refusal:
        fetch(stranger, client)
    assert refusal.value.retryable


def test_a_photo_that_drips_is_given_up(meet: Meet) -> None:
    def drip(asked: Asked, line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not stranger.leaving.wait(0.02):
            line.sendall(b".")

    stranger, client = meet(drip)
    with pytest.raises(SourceUnreachable):
        fetch(stranger, client, timeout=0.3)


def test_whoever_waits_for_a_stranger_may_be_told_to_stop(meet: Meet) -> None:
    """So that a job which was canceled does not wait for a server that hangs."""

    class Stop(Exception):
        pass

    def stop() -> None:
        raise Stop

    def hang(asked: Asked, line: socket.socket) -> None:
        stranger.leaving.wait()

    stranger, client = meet(hang)
    with pytest.raises(Stop):
        fetch(stranger, client, beat=stop)


def test_what_goes_wrong_here_is_not_the_strangers_fault(meet: Meet) -> None:
    def full(chunk: bytes) -> None:
        raise OSError(28, "No space left on device")

    stranger, client = meet(ok(GIF))
    with pytest.raises(OSError, match="No space left"):
        client.fetch(stranger.url(), full, limit=1000, timeout=30)
