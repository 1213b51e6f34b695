"""One HTTP exchange with an ASGI app, piece by piece, without a socket.

Starlette's TestClient hands over whole bodies; streams and interrupted uploads need
a client that sends and hears one piece at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message

SECONDS: Final = 60
"""After which an app that is silent hangs, however slow the machine is."""


@dataclass(frozen=True, slots=True)
class Head:
    """How an answer begins."""

    status: int
    headers: Headers


class Exchange:
    """A request under way. As a context manager it hangs up at the end."""

    def __init__(
        self,
        app: ASGIApp,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        body: bytes | None = b"",
    ) -> None:
        path, _, query = path.partition("?")
        raw = [
            (name.lower().encode(), value.encode("latin-1"))
            for name, value in (headers or {}).items()
        ]
        self._app = app
        self._scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": raw,
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        self._sent: asyncio.Queue[Message] = asyncio.Queue()
        self._heard: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        if body is not None:
            self.send(body, more=False)

    def send(self, chunk: bytes, *, more: bool = True) -> None:
        """Send a piece of the body."""
        self._sent.put_nowait(
            {"type": "http.request", "body": chunk, "more_body": more}
        )

    def hang_up(self) -> None:
        """Close the connection from the client's side."""
        self._sent.put_nowait({"type": "http.disconnect"})

    def cut_off(self) -> None:
        """Cancel it, as a server does that can't wait any longer."""
        assert self._task is not None
        self._task.cancel()

    async def head(self) -> Head:
        """Wait for the answer's status and headers."""
        message = await self._next()
        assert message["type"] == "http.response.start", message
        return Head(message["status"], Headers(raw=list(message["headers"])))

    async def chunks(self) -> AsyncIterator[bytes]:
        """The answer's body as it comes, until its end."""
        while True:
            message = await self._next()
            if message.get("body"):
                yield message["body"]
            if not message.get("more_body", False):
                return

    async def body(self) -> bytes:
        """The answer's whole body."""
        return b"".join([chunk async for chunk in self.chunks()])

    async def over(self) -> None:
        """Wait until the app has returned, and raise what it raised."""
        assert self._task is not None
        await asyncio.wait_for(self._task, SECONDS)

    async def __aenter__(self) -> Self:
        run = self._app(self._scope, self._sent.get, self._heard.put)
        self._task = asyncio.ensure_future(run)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._task is not None
        self.hang_up()
        done, _ = await asyncio.wait({self._task}, timeout=5)
        if not done:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _next(self) -> Message:
        assert self._task is not None
        hearing = asyncio.ensure_future(self._heard.get())
        await asyncio.wait(
            {hearing, self._task}, timeout=SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        if not hearing.done():
            if not self._heard.empty():
                return await hearing
            hearing.cancel()
            if self._task.done():
                await self._task
            raise AssertionError(f"The app said nothing for {SECONDS} s, or ended.")
        return hearing.result()


async def until(holds: Callable[[], object]) -> None:
    """Let other tasks run until this holds; a test's own time limit ends it."""
    while not holds():  # noqa: ASYNC110 - what is watched belongs to the app
        await asyncio.sleep(0.001)
