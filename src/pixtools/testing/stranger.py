"""A server that answers as no server should: each test says which bytes it sends.

It listens on the loopback interface; `known` is a resolver that leads any name there,
and `ALLOWED` the network that a guard has to allow for it.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from threading import Event, Thread
from types import TracebackType
from typing import Final, Self

ALLOWED: Final = IPv4Network("127.0.0.0/8")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came."""

    line: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """What was asked for."""
        return self.line.split(" ")[1]


@dataclass(slots=True)
class Stranger:
    """Hands each request to `answer`, with the connection that it came by.

    A connection is closed when its answer is given. `leaving` is set when the test
    ends: an answer that hangs waits for it.
    """

    answer: Callable[[Asked, socket.socket], None]
    context: ssl.SSLContext | None = None
    asked: list[Asked] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    """By which names it was looked up."""
    leaving: Event = field(default_factory=Event)
    _server: socket.socket = field(init=False)

    def __post_init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.getsockname()[1])

    def url(self, path: str = "/", host: str = "stranger.example") -> str:
        """Its address, by a name that only `known` knows."""
        scheme = "https" if self.context else "http"
        return f"{scheme}://{host}:{self.port}{path}"

    def known(self, host: str, port: int) -> Sequence[str]:
        """A resolver that leads every name here."""
        del port
        self.names.append(host)
        return ("127.0.0.1",)

    def __enter__(self) -> Self:
        Thread(target=self._listen, name="stranger", daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.leaving.set()
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _listen(self) -> None:
        while True:
            try:
                line, _ = self._server.accept()
            except OSError:
                return
            Thread(target=self._talk, args=(line,), daemon=True).start()

    def _talk(self, line: socket.socket) -> None:
        with suppress(OSError), line:
            line.settimeout(30)
            if self.context:
                with self.context.wrap_socket(line, server_side=True) as secured:
                    self._answer(secured)
            else:
                self._answer(line)

    def _answer(self, line: socket.socket) -> None:
        asked = _read(line)
        self.asked.append(asked)
        self.answer(asked, line)


def saying(data: bytes) -> Callable[[Asked, socket.socket], None]:
    """Answers every request with these bytes."""

    def answer(asked: Asked, line: socket.socket) -> None:
        del asked
        line.sendall(data)

    return answer


def ok(body: bytes = b"", **headers: str) -> bytes:
    """A plain answer; `content_type="…"` becomes a header."""
    return answer_of(200, body, **headers)


def answer_of(status: int, body: bytes = b"", **headers: str) -> bytes:
    """An answer of any status."""
    told = {"content_length": str(len(body)), **headers}
    lines = [f"{name.replace('_', '-')}: {text}" for name, text in told.items()]
    head = "\r\n".join([f"HTTP/1.1 {status} Said", *lines, "", ""])
    return head.encode() + body


def _read(line: socket.socket) -> Asked:
    data = b""
    while b"\r\n\r\n" not in data:
        came = line.recv(65536)
        if not came:
            raise ConnectionResetError
        data += came
    head, _, body = data.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    headers = {
        name.lower(): value.strip()
        for name, _, value in (each.partition(":") for each in rest)
    }
    while len(body) < int(headers.get("content-length", "0")):
        came = line.recv(65536)
        if not came:
            raise ConnectionResetError
        body += came
    return Asked(first, headers, body)
