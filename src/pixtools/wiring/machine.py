"""What the machine itself provides: time, ids, memory and a place to listen."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from pixtools.domain.errors import ConfigurationInvalid
from pixtools.domain.ids import uuid7
from pixtools.domain.limits import MIB

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_KEPT: Final = {_MMAP_THRESHOLD: 16 * MIB, _TRIM_THRESHOLD: 32 * MIB}
"""By glibc's numbers for `mallopt`: what is mapped, and what is given back."""

BACKLOG: Final = 512
"""Clients that may knock at once before the first of them is heard."""


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


def is_loopback(door: socket.socket) -> bool:
    """Whether only this machine can reach it."""
    host = str(door.getsockname()[0]).partition("%")[0]
    return ip_address(host).is_loopback


def bind(host: str, port: int) -> socket.socket:
    """Take a port before anything is started, so that a taken one is one sentence.

    Clients are refused until `admit`: one that was let in would wait for a service
    that is not there yet. Raises ConfigurationInvalid.
    """
    with _usable(host, port):
        # A name, such as localhost, is of IPv4, as most clients take it.
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        door = socket.socket(family)
        try:
            # Without this, a port could not be taken again soon after its last use.
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind((host, port))
        except BaseException:
            door.close()
            raise
        return door


def admit(door: socket.socket) -> None:
    """Let clients in; raises ConfigurationInvalid if another process has done so."""
    host, port = door.getsockname()[:2]
    with _usable(host, port):
        door.listen(BACKLOG)


def keep_freed_memory() -> None:
    """Let what is freed, up to 32 MiB, be at hand for what comes next; on glibc.

    Photos pass by in pieces of a quarter of a mebibyte and more. Each would be mapped
    and given back, so that the kernel clears and hands out all its pages again: a
    sixth of what an upload costs.
    """
    import ctypes

    with suppress(AttributeError):  # other C libraries have no such choice
        for choice, value in _KEPT.items():
            ctypes.CDLL(None).mallopt(choice, value)


def let_session_yield(steps: int) -> None:
    """Make our session nicer, if it is ours alone and the kernel shares by sessions.

    Many kernels share cores between sessions before they share them within one. There
    processes yield to nobody outside, however nice they are: pixels of one session
    would take half a core from an API in another.
    """
    if os.getsid(0) == os.getpid():
        with suppress(OSError):  # a kernel that does no such thing, or forbids it
            Path("/proc/self/autogroup").write_text(str(steps), "ascii")


@contextmanager
def _usable(host: str, port: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigurationInvalid(
            f"PORT {port} on {host} can't be used: {reason}."
        ) from None
