"""What the machine itself provides: time, ids and a place to listen."""

from __future__ import annotations

import os
import socket
import time
from datetime import UTC, datetime
from ipaddress import ip_address

from pixtools.domain.errors import ConfigurationInvalid
from pixtools.domain.ids import uuid7


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """The present moment, UTC."""
        return datetime.now(UTC)


class RandomIds:
    """UUIDv7 from the machine's time and randomness."""

    def new(self) -> str:
        """A fresh id, unlike any other."""
        return uuid7(time.time_ns() // 1_000_000, os.urandom(10))


def is_loopback(listener: socket.socket) -> bool:
    """Whether only this machine can reach it."""
    host = str(listener.getsockname()[0]).partition("%")[0]
    return ip_address(host).is_loopback


def listen(host: str, port: int) -> socket.socket:
    """Bind before anything is started, so that a taken port is one sentence."""
    try:
        return socket.create_server((host, port), backlog=512)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigurationInvalid(
            f"PORT {port} on {host} can't be used: {reason}."
        ) from None
