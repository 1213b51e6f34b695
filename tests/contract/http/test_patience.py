"""Over a real socket: no client is waited for without end."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http.client import HTTPResponse

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from tests.contract.http.site import PIPELINE, Site

from pixtools.api.config import ApiConfig
from pixtools.api.connection import Connection
from pixtools.api.server import Server, server_config


class Impatient(Connection):
    """Waits no longer than a test does for a head."""

    head_timeout = 0.2


class Hasty(Connection):
    """Has patience for the first head only."""

    def on_headers_complete(self) -> None:
        self.head_timeout = 0.2  # type: ignore[misc] # of this connection alone
        super().on_headers_complete()


class Untaken(Connection):
    """Does not wait long for a client to take its answer."""

    take_timeout = 0.2


@contextmanager
def served(app: FastAPI, patience: type[Connection] = Connection) -> Iterator[int]:
    """The port of a server in a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = server_config(app, shutdown_seconds=1)
    config.http = patience
    server = Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as wire:
        yield wire


def heard(wire: socket.socket) -> bytes:
    """All that is said until the server hangs up."""
    said = b""
    while data := wire.recv(4096):
        said += data
    return said


def answered(wire: socket.socket) -> int:
    """The status of an answer that is read to its end; the connection stays."""
    answer = HTTPResponse(wire)
    answer.begin()
    answer.read()
    return answer.status


@pytest.mark.parametrize("head", [b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-"])
def test_a_head_that_never_ends_is_not_waited_for(site: Site, head: bytes) -> None:
    with served(site.app, Impatient) as port, connected(port) as wire:
        wire.sendall(head)
        assert heard(wire).startswith(b"HTTP/1.1 408 ")


def test_neither_is_the_next_one_on_the_same_connection(site: Site) -> None:
    head = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    with served(site.app, Hasty) as port, connected(port) as wire:
        wire.sendall(head + head[:20])
        said = heard(wire)
        assert said.startswith(b"HTTP/1.1 200 ")
        assert said.count(b"HTTP/1.1") == 1


def test_the_rest_of_a_refused_body_is_not_waited_for(site: Site) -> None:
    """Whoever was refused early may go on sending, but not for ever."""
    site.rule(queue_size=1)
    site.upload()
    head = (
        b"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n"
        b"Content-Type: multipart/form-data; boundary=x\r\n\r\n"
    )
    with served(site.app, Hasty) as port, connected(port) as wire:
        wire.sendall(head + b"--x")
        said = heard(wire)
        assert said.startswith(b"HTTP/1.1 503 ")
        assert b"queue_full" in said


def test_who_takes_nothing_of_an_answer_is_hung_up_on(site: Site) -> None:
    begun, lost = threading.Event(), threading.Event()

    class Noted(Untaken):
        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            lost.set()

    async def endless() -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            while True:
                yield bytes(65536)
                await asyncio.sleep(0)

        begun.set()
        return StreamingResponse(pieces())

    site.app.add_api_route("/endless", endless)
    with served(site.app, Noted) as port, connected(port) as wire:
        wire.sendall(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        assert lost.wait(20)
        assert begun.is_set()


def test_who_takes_it_slowly_gets_it_all(site: Site) -> None:
    """Requests one after another, each with pauses, on one connection."""
    with served(site.app) as port, connected(port) as wire:
        for _ in range(3):
            for piece in (b"GET /healthz HT", b"TP/1.1\r\nHost:", b" x\r\n\r\n"):
                wire.sendall(piece)
            assert answered(wire) == 200


def test_a_body_that_drips_is_too_slow_though_it_never_stops() -> None:
    """A byte now and then would keep a place for days."""
    site = Site(config=ApiConfig(idle_timeout=0.5))
    stopped = threading.Event()

    def drip(wire: socket.socket) -> None:
        while not stopped.wait(0.01):
            try:
                wire.sendall(b"-")
            except OSError:
                return

    head = (
        b"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n"
        b"Content-Type: application/json\r\n\r\n"
    )
    with served(site.app) as port, connected(port) as wire:
        wire.sendall(head)
        dripping = threading.Thread(target=drip, args=(wire,))
        dripping.start()
        try:
            said = wire.recv(4096)
        finally:
            stopped.set()
            dripping.join()
        assert said.startswith(b"HTTP/1.1 408 ")


def test_a_body_at_a_steady_pace_may_take_its_time() -> None:
    """Longer than any pause in it may be; the rule itself is told in unit/api."""
    site = Site(config=ApiConfig(idle_timeout=8))
    wish = {"source_type": "s3_presigned", "pipeline": PIPELINE}
    body = httpx2.Request("POST", "http://x", json=wish).content.ljust(10 * 4096)
    never = threading.Event()

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(body), 4096):
            never.wait(0.9)
            yield body[start : start + 4096]

    headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    with served(site.app) as port:
        answer = httpx2.post(
            f"http://127.0.0.1:{port}/v1/jobs",
            content=pieces(),
            headers=headers,
            timeout=60,
            trust_env=False,
        )
    assert answer.status_code == 201, answer.text


def test_a_request_for_a_websocket_is_answered_and_not_complained_of(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    head = (
        b"GET /v1/limits HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
        b"Upgrade: websocket\r\nSec-WebSocket-Key: eA==\r\n"
        b"Sec-WebSocket-Version: 13\r\n\r\n"
    )
    with (
        caplog.at_level(logging.WARNING),
        served(site.app) as port,
        connected(port) as wire,
    ):
        wire.sendall(head)
        assert wire.recv(4096).startswith(b"HTTP/1.1 200 ")
    assert caplog.messages == []
