"""The HTTP server, which lets streams end before it waits for connections to close."""

from __future__ import annotations

import socket

import uvicorn
from fastapi import FastAPI

from pixtools.api.app import end_streams
from pixtools.api.connection import Connection


def server_config(
    app: FastAPI, *, shutdown_seconds: int, proxies: str = "127.0.0.1"
) -> uvicorn.Config:
    """How the API is served; whoever is still at it then is cut off.

    `proxies` are the addresses whose X-Forwarded-For and -Proto are believed.
    """
    return uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=proxies,
        timeout_graceful_shutdown=shutdown_seconds,
    )


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
