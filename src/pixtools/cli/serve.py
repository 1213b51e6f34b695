"""`pixtools serve`: API, page and, embedded, the workers."""

from __future__ import annotations

import signal
import socket
from contextlib import AbstractContextManager, closing
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from pixtools.cli.say import teaching, to_stderr
from pixtools.settings import Settings, load_settings
from pixtools.telemetry.config import LogConfig
from pixtools.telemetry.logs import configure_logs
from pixtools.wiring.machine import admit, bind, is_loopback, keep_freed_memory

if TYPE_CHECKING:
    from fastapi import FastAPI

EPILOG = (
    "[b]Examples[/b]\n\n"
    "pixtools serve\n\n"
    "pixtools serve --port 9000\n\n"
    "WORKERS=4 PIXTOOLS_DATA_DIR=/srv/pixtools pixtools serve"
)
SHUTDOWN_SECONDS = 5


def serve(
    *,
    host: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Address; HOST's default.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, max=65535, help="Port; 0 takes a free one."),
    ] = None,
) -> None:
    """Start the service with its page: nothing else is needed on this machine.

    Where RABBITMQ_URL is set, only API and page: `pixtools worker` does the work.
    Where other machines can reach the address, callers have to be known: by API_KEY, by
    a key of `pixtools keys`, or by tokens of OIDC_ISSUER.
    Settings come from the environment or from .env (see docs/reference/settings).
    """
    with teaching():
        settings = load_settings()
        configure_logs(LogConfig(level=settings.log_level, format=settings.log_format))
        taken = settings.port if port is None else port
        with closing(bind(host or settings.host, taken)) as door:
            keep_freed_memory()
            with _house(settings, exposed=not is_loopback(door)) as app:
                _run(app, door, settings)


def _house(settings: Settings, *, exposed: bool) -> AbstractContextManager[FastAPI]:
    """The whole service, or its control plane where others do the work."""
    if settings.rabbitmq_url:
        from pixtools.wiring.cluster import control_plane

        return control_plane(settings, exposed=exposed)
    from pixtools.wiring.embedded import embedded

    return embedded(settings, exposed=exposed)


def _run(app: FastAPI, door: socket.socket, settings: Settings) -> None:
    from pixtools.api.server import Server, server_config

    config = server_config(
        app, shutdown_seconds=SHUTDOWN_SECONDS, proxies=settings.forwarded_allow_ips
    )
    server = Server(config)
    # Uvicorn raises the signal that ended it once more; by then it has been heeded,
    # and what is still to be closed must not be cut off.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _heeded)
    admit(door)
    _greet(door, settings)
    server.run(sockets=[door])


def _heeded(number: int, frame: FrameType | None) -> None:
    del number, frame


def _greet(door: socket.socket, settings: Settings) -> None:
    host, port = door.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    to_stderr().print(
        f"PixTools runs at http://{shown}:{port} (stop it with Ctrl-C)\n"
        f"{_about(settings)}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def _about(settings: Settings) -> str:
    if settings.rabbitmq_url:
        return "Work goes through RabbitMQ to pixtools worker."
    where = Path(settings.pixtools_data_dir).resolve()
    return f"Data: {where}   Workers: {settings.workers}"
