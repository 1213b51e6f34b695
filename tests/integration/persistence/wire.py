"""A wire to a server that can be cut, or fall silent without being cut."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from sqlalchemy import make_url

from pixtools.persistence.config import PersistenceConfig


class Wire:
    """Passes bytes on between clients and a server, as long as it is let to."""

    def __init__(self, config: PersistenceConfig) -> None:
        url = make_url(config.url)
        self._behind = (url.host or "127.0.0.1", url.port or 5432)
        self._door = socket.create_server(("127.0.0.1", 0))
        here = url.set(host="127.0.0.1", port=self._door.getsockname()[1])
        shown = here.render_as_string(hide_password=False)
        self.config = replace(config, url=shown)
        self.refused = threading.Semaphore(0)
        """Released for each client that was turned away."""
        self._passing = threading.Event()
        self._passing.set()
        self._shut = False
        self._open: list[socket.socket] = []

    @classmethod
    @contextmanager
    def to(cls, config: PersistenceConfig) -> Iterator[Wire]:
        """A wire to the server of this database."""
        wire = cls(config)
        threading.Thread(target=wire._welcome, daemon=True).start()
        try:
            yield wire
        finally:
            wire.go_on()
            with suppress(OSError):
                wire._door.shutdown(socket.SHUT_RDWR)
            wire._door.close()
            wire.cut()

    def fall_silent(self) -> None:
        """Pass nothing on; connections stay, and their peers acknowledge."""
        self._passing.clear()

    def go_on(self) -> None:
        """Pass everything on, also what came meanwhile."""
        self._passing.set()

    def cut(self) -> None:
        """End all connections."""
        for end in self._open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def close_door(self) -> None:
        """End all connections and turn new ones away, as a server that is down."""
        self._shut = True
        self.cut()

    def open_door(self) -> None:
        """Let clients in again."""
        self._shut = False

    def _welcome(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._door.accept()
                if self._shut:
                    client.close()
                    self.refused.release()
                    continue
                server = socket.create_connection(self._behind)
                self._open += [client, server]
                ends = (client, server)
                threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        other = {client: server, server: client}
        with selectors.DefaultSelector() as ready, client, server, suppress(OSError):
            for end in other:
                ready.register(end, selectors.EVENT_READ)
            while True:
                for key, _ in ready.select():
                    assert isinstance(key.fileobj, socket.socket)
                    block = key.fileobj.recv(65536)
                    self._passing.wait()
                    if not block:
                        return
                    other[key.fileobj].sendall(block)
