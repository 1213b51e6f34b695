"""The proxy fails as it is told, and does no harm otherwise."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from pixtools.testing.faulty_proxy import (
    Answer,
    CutAnswer,
    CutRequest,
    Delay,
    FaultyProxy,
    Hang,
    always,
    once,
)

BODY = bytes(range(256)) * 1000


class Server(ThreadingHTTPServer):
    """Answers every POST with its own body, and remembers it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Echo)
        self.bodies: list[bytes] = []

    def handle_error(self, *_: object) -> None:
        """Connections are cut here on purpose."""


class Echo(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.bodies.append(body)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy(server: Server) -> Iterator[FaultyProxy]:
    with FaultyProxy("127.0.0.1", server.server_port) as proxy:
        yield proxy


def post(proxy: FaultyProxy, timeout: float = 10) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(proxy.url).netloc, timeout=timeout)
    try:
        connection.request("POST", "/a?b=c", BODY, {"X-Word": "said"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_without_a_plan_requests_pass(proxy: FaultyProxy, server: Server) -> None:
    """Unchanged in both directions, and noted."""
    assert post(proxy) == (200, BODY)
    assert server.bodies == [BODY]
    (request,) = proxy.requests
    assert (request.method, request.target) == ("POST", "/a?b=c")
    assert (request.headers["x-word"], request.length) == ("said", len(BODY))


def test_it_answers_for_the_server(proxy: FaultyProxy, server: Server) -> None:
    """Which hears nothing of it."""
    proxy.plan = lambda _: Answer(503, b"later")
    assert post(proxy) == (503, b"later")
    assert server.bodies == []


def test_it_hangs_until_it_is_closed(proxy: FaultyProxy, server: Server) -> None:
    """The client has to give up by itself."""
    proxy.plan = lambda _: Hang()
    with pytest.raises(TimeoutError):
        post(proxy, timeout=0.2)
    assert server.bodies == []


def test_it_takes_its_time(proxy: FaultyProxy, server: Server) -> None:
    """The server hears of it later, and the client too."""
    proxy.plan = lambda _: Delay(0.2)
    begun = time.monotonic()
    assert post(proxy) == (200, BODY)
    assert time.monotonic() - begun >= 0.2


def test_it_cuts_a_request(proxy: FaultyProxy, server: Server) -> None:
    """Neither side gets to the end."""
    proxy.plan = lambda _: CutRequest(1000)
    with pytest.raises((OSError, http.client.HTTPException)):
        post(proxy)


@pytest.mark.parametrize("after", [0, 30, 5000])
def test_it_cuts_an_answer(proxy: FaultyProxy, server: Server, after: int) -> None:
    """The server has done its work; the client never learns it all."""
    proxy.plan = lambda _: CutAnswer(after)
    with suppress(OSError, http.client.HTTPException):
        assert post(proxy)[1] != BODY  # a head that is cut may pass for a short one
    assert server.bodies == [BODY]


def test_a_plan_may_choose(proxy: FaultyProxy, server: Server) -> None:
    """By the request, and by what came before."""
    proxy.plan = once(Answer(500), "POST", "b=c")
    assert [post(proxy)[0] for _ in range(2)] == [500, 200]
    proxy.plan = always(Answer(500), "POST", "b=c")
    assert [post(proxy)[0] for _ in range(2)] == [500, 500]
    proxy.plan = always(Answer(500), "PUT")
    assert post(proxy)[0] == 200
    assert server.bodies == [BODY] * 2
