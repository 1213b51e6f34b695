"""A TCP relay before a server: it can swallow what is said, or hang up on everyone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit


@dataclass(slots=True)
class Relay:
    """Between us and a server, on the loop of the test."""

    host: str
    port: int
    silent: bool = False
    """Take what comes and answer nothing."""
    slow: float = 0.0
    """Seconds for which each piece is held back."""
    deaf: bool = False
    """Hang up on whoever comes."""
    calls: int = 0
    """How many connections came."""
    said: int = 0
    """How many pieces came over all of them."""
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.calls += 1
        self._open.add(writer)
        try:
            if not self.deaf:
                await self._between(reader, writer)
        finally:
            self._open.discard(writer)
            writer.close()

    def hang_up(self) -> None:
        """Cut every connection that is open."""
        for writer in self._open:
            writer.transport.abort()

    async def _between(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        back, forth = await asyncio.open_connection(self.host, self.port)
        try:
            answers = asyncio.ensure_future(self._passed_on(back, writer))
            with suppress(ConnectionError):
                while piece := await reader.read(65536):
                    self.said += 1
                    await asyncio.sleep(self.slow)
                    if not self.silent:
                        forth.write(piece)
            answers.cancel()
        finally:
            forth.close()

    async def _passed_on(
        self, back: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with suppress(ConnectionError):
            while piece := await back.read(65536):
                writer.write(piece)


@asynccontextmanager
async def relayed(url: str) -> AsyncIterator[tuple[Relay, str]]:
    """A relay before the server of a URL, and the URL that leads through it."""
    parts = urlsplit(url)
    relay = Relay(parts.hostname or "", parts.port or 6379)
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    login = parts.netloc.rpartition("@")[0]
    netloc = f"{login}@127.0.0.1:{port}" if login else f"127.0.0.1:{port}"
    async with server:
        yield relay, urlunsplit(parts._replace(netloc=netloc))
        relay.hang_up()
