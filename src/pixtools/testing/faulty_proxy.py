"""An HTTP proxy in front of a real server that answers, hangs or cuts as it is told.

What a client does then is worth knowing of each server that we depend on. One request
goes over each connection to the server behind, so that a fault hits that request only.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

_BLOCK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]

    @property
    def length(self) -> int:
        """Bytes of its body."""
        return int(self.headers.get("content-length", 0))


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer at once with this status; the server behind hears nothing."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Hang:
    """Take the request and never answer."""


@dataclass(frozen=True, slots=True)
class Delay:
    """Pass all on, so many seconds later."""

    seconds: float


@dataclass(frozen=True, slots=True)
class CutRequest:
    """Pass on that many bytes of the body, then cut both connections."""

    after: int = 0


@dataclass(frozen=True, slots=True)
class CutAnswer:
    """Pass the request on, and that many bytes of the answer; then cut.

    With 0 the server has done what was asked and the client never learns of it.
    """

    after: int = 0


Fault = Answer | Hang | Delay | CutRequest | CutAnswer
Plan = Callable[[Request], Fault | None]


def well(_: Request) -> None:
    """The plan of a proxy that does no harm."""


def always(fault: Fault, *words: str) -> Plan:
    """Hit each request whose method and target have all these words."""
    return lambda request: fault if _has(request, words) else None


def once(fault: Fault, *words: str) -> Plan:
    """Likewise, but only the first: what is tried again gets through."""
    left = [fault]
    return lambda request: left.pop() if left and _has(request, words) else None


class FaultyProxy:
    """`with FaultyProxy(host, port) as proxy:` - then set `proxy.plan` at any time."""

    def __init__(self, host: str, port: int) -> None:
        """The server behind; nothing is started yet."""
        self.plan: Plan = well
        self.requests: list[Request] = []
        self.url = ""
        self._behind = (host, port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._leaving = asyncio.Event()
        self._visits: set[asyncio.Task[None] | None] = set()
        self._open: set[asyncio.StreamWriter] = set()

    def __enter__(self) -> Self:
        """Listen on a free port of the loopback interface."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Cut what is still open."""
        asyncio.run_coroutine_threadsafe(self._leave(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._welcome, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"

    async def _leave(self) -> None:
        self._server.close()
        self._leaving.set()
        for connection in self._open:
            connection.transport.abort()
        await asyncio.gather(*(visit for visit in self._visits if visit))

    async def _welcome(
        self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter
    ) -> None:
        visit = asyncio.current_task()
        self._visits.add(visit)
        with suppress(OSError, asyncio.IncompleteReadError), self._held(to_client):
            await self._visit(client, to_client)
        self._visits.discard(visit)

    async def _visit(
        self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter
    ) -> None:
        head = await client.readuntil(b"\r\n\r\n")
        request = _parsed(head)
        self.requests.append(request)
        fault = self.plan(request)
        if isinstance(fault, Hang):
            await self._leaving.wait()
        elif isinstance(fault, Answer):
            await _take(client, request.length)
            to_client.write(_written(fault))
            await to_client.drain()
        else:
            if isinstance(fault, Delay):
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._leaving.wait(), fault.seconds)
            await self._pass_on(head, request, fault, client, to_client)

    async def _pass_on(
        self,
        head: bytes,
        request: Request,
        fault: Delay | CutRequest | CutAnswer | None,
        client: asyncio.StreamReader,
        to_client: asyncio.StreamWriter,
    ) -> None:
        server, to_server = await asyncio.open_connection(*self._behind)
        with self._held(to_server):
            to_server.write(head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
            if isinstance(fault, CutRequest):
                await _relay(client, to_server, min(fault.after, request.length))
                to_client.transport.abort()
                return
            await _relay(client, to_server, request.length)
            if isinstance(fault, CutAnswer):
                answer = await server.read()  # all: it was done, and is not known
                to_client.write(answer[: fault.after])
            else:
                await _relay(server, to_client)

    @contextmanager
    def _held(self, connection: asyncio.StreamWriter) -> Iterator[None]:
        self._open.add(connection)
        try:
            yield
        finally:
            self._open.discard(connection)
            connection.close()


def _has(request: Request, words: tuple[str, ...]) -> bool:
    return all(word in f"{request.method} {request.target}" for word in words)


async def _take(reader: asyncio.StreamReader, length: int) -> None:
    while length > 0:
        length -= len(await reader.readexactly(min(_BLOCK, length)))


async def _relay(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    length: int | None = None,
) -> None:
    """Pass on `length` bytes, or all until the end."""
    while length is None or length > 0:
        block = await reader.read(min(_BLOCK, _BLOCK if length is None else length))
        if not block:
            return
        writer.write(block)
        await writer.drain()
        length = None if length is None else length - len(block)


def _parsed(head: bytes) -> Request:
    first, *lines = head.decode("latin-1").rstrip().split("\r\n")
    method, target, _ = first.split(" ", 2)
    pairs = (line.split(":", 1) for line in lines)
    headers = {name.strip().lower(): value.strip() for name, value in pairs}
    return Request(method, target, headers)


def _written(answer: Answer) -> bytes:
    headers = {
        **dict(answer.headers),
        "Content-Length": len(answer.body),
        "Connection": "close",
    }
    told = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {answer.status} Told So\r\n{told}\r\n"
    return head.encode() + answer.body
