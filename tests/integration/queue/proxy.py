"""A wire to a server that a test can cut, hold and mend."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

BLOCKED = b"\x01\0\0\0\0\0\x08\0\x0a\0\x3c\x03low\xce"
UNBLOCKED = b"\x01\0\0\0\0\0\x04\0\x0a\0\x3d\xce"
"""What RabbitMQ says where memory or disk runs short, and when that is over."""


class Proxy:
    """Passes bytes on, both ways, unless it is cut (refuses) or held (is silent)."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._open: set[socket.socket] = set()
        self._near: list[socket.socket] = []
        self._takes = threading.Event()
        self._takes.set()
        self._flows = threading.Event()
        self._flows.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._spawn(self._listener)

    def cut(self) -> None:
        """Refuse connections, and break those that stand."""
        # Closing alone would not wake the thread that accepts.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in list(self._open):
            _end(each)

    def mend(self) -> None:
        """Listen again, at the same port."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._spawn(self._listener)

    def hold(self) -> None:
        """Pass nothing on, and say nothing about it."""
        self._flows.clear()

    def let_go(self) -> None:
        """Pass on what was held."""
        self._flows.set()

    def block(self) -> None:
        """Take nothing any more from those who are connected now, and tell them so."""
        self._takes, self._blocked = threading.Event(), self._takes
        self._takes.set()
        self._blocked.clear()
        for each in self._near:
            each.sendall(BLOCKED)

    def unblock(self) -> None:
        """Take what they sent, and tell them so."""
        self._blocked.set()
        for each in self._near:
            each.sendall(UNBLOCKED)

    @property
    def visits(self) -> int:
        """How often somebody connected."""
        return len(self._near)

    def close(self) -> None:
        self._flows.set()
        self._takes.set()
        self.cut()

    def _spawn(self, listener: socket.socket) -> None:
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(self._target)
                self._open |= {near, far}
                self._near.append(near)
                for one, other, gate in (
                    (near, far, self._takes),
                    (far, near, self._flows),
                ):
                    threading.Thread(
                        target=self._pass_on, args=(one, other, gate), daemon=True
                    ).start()

    def _pass_on(
        self, one: socket.socket, other: socket.socket, gate: threading.Event
    ) -> None:
        with suppress(OSError):
            while chunk := one.recv(65536):
                self._flows.wait()
                gate.wait()
                other.sendall(chunk)
        for each in (one, other):
            self._open.discard(each)
            _end(each)


@contextmanager
def proxied(url: str) -> Iterator[tuple[Proxy, str]]:
    """A wire to the server of a URL, and the URL that leads through it."""
    parts = urlsplit(url)
    proxy = Proxy(parts.hostname or "", parts.port or 0)
    who = parts.netloc.rpartition("@")[0]
    try:
        at = f"{who}@127.0.0.1:{proxy.port}"
        yield proxy, urlunsplit(parts._replace(netloc=at))
    finally:
        proxy.close()


def _end(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()
