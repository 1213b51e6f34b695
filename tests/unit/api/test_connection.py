"""What a connection does with the pieces of a body that nobody has taken yet."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.types import Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from pixtools.api.connection import Connection

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


class Wire(asyncio.Transport):
    """A client that is heard by hand."""

    def pause_reading(self) -> None:
        """Nothing comes by itself."""

    def resume_reading(self) -> None:
        """Nothing comes by itself."""

    def is_closing(self) -> bool:
        return False


async def busy(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that has not come to the body yet."""


def connected() -> Connection:
    config = Config(busy, log_config=None, http=Connection, ws="none")
    config.load()
    connection = Connection(config, ServerState(), {})
    connection.connection_made(Wire())
    connection.data_received(HEAD)
    return connection


def chunks(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


def test_a_piece_that_comes_alone_is_not_copied() -> None:
    async def story() -> None:
        connection = connected()
        for piece in (bytes(1000), bytes(2000)):
            connection.on_body(piece)
            message: Any = await connection.cycle.receive()
            assert message["body"] is piece

    asyncio.run(story())


def test_many_small_pieces_are_gathered_in_place() -> None:
    """What has come is not copied once more for each: a read holds thousands."""

    async def story() -> None:
        connection = connected()
        connection.data_received(chunks(b"one ", b"two "))
        gathered = connection.cycle.body
        connection.data_received(chunks(b"three ", b"four"))
        assert connection.cycle.body is gathered
        message: Any = await connection.cycle.receive()
        assert message["body"] == b"one two three four"

    asyncio.run(story())
