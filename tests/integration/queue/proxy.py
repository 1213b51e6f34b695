"""A wire to a server that a test can cut, hold and mend."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit, urlunsplit


class Proxy:
    """Passes bytes on, both ways, unless it is cut (refuses) or held (is silent)."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._open: set[socket.socket] = set()
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

    def close(self) -> None:
        self._flows.set()
        self.cut()

    def _spawn(self, listener: socket.socket) -> None:
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(self._target)
                self._open |= {near, far}
                for one, other in ((near, far), (far, near)):
                    threading.Thread(
                        target=self._pass_on, args=(one, other), daemon=True
                    ).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while chunk := one.recv(65536):
                self._flows.wait()
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
