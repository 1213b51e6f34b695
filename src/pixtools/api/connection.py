"""A connection that waits for no client without end."""

from __future__ import annotations

import asyncio
from asyncio import TimerHandle
from typing import ClassVar, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

TOO_SLOW: Final = (
    b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
)


class Connection(HttpToolsProtocol):
    """Uvicorn's connection, with limits where it has none. Times are in seconds.

    Uvicorn closes what lies idle after an answer. Here a request's head has its time,
    too, and so has a client that takes nothing of what it asked for. How slow a body
    may be is the routes' business.
    """

    head_timeout: ClassVar[float] = 30.0
    """From the connection's start, or the last answer, to the end of a head."""
    take_timeout: ClassVar[float] = 120.0
    """Until the client has taken some of what waits for it."""

    _heard = False
    _head_due: TimerHandle | None = None
    _take_due: TimerHandle | None = None

    def connection_made(  # type: ignore[override] # as in uvicorn
        self, transport: asyncio.Transport
    ) -> None:
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._stop(self._head_due)
        self._stop(self._take_due)
        super().connection_lost(exc)

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._stop(self._head_due)
        self._heard = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Hand a piece on as it is: uvicorn copies each into an array and out again."""
        held: object = self.cycle.body
        if not held and not self.cycle.response_complete:
            self.cycle.body = body  # type: ignore[assignment] # read and added to only
            body = b""
        elif isinstance(held, bytes):
            # One read may hold thousands of chunks: bytes would be copied for each.
            self.cycle.body = bytearray(held)
        super().on_body(body)

    def on_response_complete(self) -> None:
        """Wait for the next head; what is left of a refused body has as long."""
        super().on_response_complete()
        # Unless another request has come already, while this one was answered.
        if self.cycle.response_complete and not self.transport.is_closing():
            self._await_head()

    def pause_writing(self) -> None:
        """The client is slower than we are."""
        super().pause_writing()
        self._take_due = self.loop.call_later(self.take_timeout, self.transport.abort)

    def resume_writing(self) -> None:
        """It has taken some."""
        self._stop(self._take_due)
        super().resume_writing()

    def _await_head(self) -> None:
        self._stop(self._head_due)
        self._head_due = self.loop.call_later(self.head_timeout, self._give_up)

    def _give_up(self) -> None:
        if self.transport.is_closing():
            return
        if not self._heard:
            self.transport.write(TOO_SLOW)
        self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        """Anyone may ask for a WebSocket; the log need not know."""

    def _stop(self, timer: TimerHandle | None) -> None:
        if timer is not None:
            timer.cancel()
