"""The HTTP server, which lets streams end before it waits for connections to close."""

from __future__ import annotations

import socket

import uvicorn
from fastapi import FastAPI

from pixtools.api.app import end_streams


class Server(uvicorn.Server):
    """A uvicorn server that tells its streams when it stops.

    Without this an open event stream would hold the stop up until its time is over,
    and then be cut off.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop: first the streams, then the connections."""
        if isinstance(self.config.app, FastAPI):
            end_streams(self.config.app)
        await super().shutdown(sockets)
