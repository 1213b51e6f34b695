"""A line to an address that was checked: no name is looked up here any more."""

from __future__ import annotations

import errno
import os
import select
import socket
import ssl
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import httpcore2

from pixtools.net.deadline import Deadline, Overtime
from pixtools.net.destination import is_six

T = TypeVar("T")


class Dialler(httpcore2.NetworkBackend):
    """Dials these addresses, one after the other, whatever host it is asked for.

    Of what is read on the line there may be `most` bytes.
    """

    def __init__(self, addresses: Sequence[str], deadline: Deadline, most: int) -> None:
        self._addresses = addresses
        self._deadline = deadline
        self._most = most

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """A line to the first address that answers; raises OSError."""
        del host, timeout, local_address, socket_options
        failed: OSError = OSError(errno.EADDRNOTAVAIL, "no address")
        for tried, address in enumerate(self._addresses):
            share = self._deadline.left() / (len(self._addresses) - tried)
            try:
                dialled = _dial(address, port, self._deadline, Deadline(share))
                return Line(dialled, self._deadline, self._most)
            except OSError as error:
                failed = error
        raise failed

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Raise: nothing on this machine is a destination."""
        del path, timeout, socket_options
        raise OSError(errno.EAFNOSUPPORT, "no such destination")


class Line(httpcore2.NetworkStream):
    """Bytes there and back until one deadline, however slowly they drip."""

    def __init__(self, dialled: socket.socket, deadline: Deadline, most: int) -> None:
        self._socket = dialled
        self._deadline = deadline
        self._left = most

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What has come; raises OSError, also when too much has."""
        del timeout
        data = self._patiently(partial(self._socket.recv, max_bytes))
        self._left -= len(data)
        if self._left < 0:
            raise OSError(errno.EMSGSIZE, "more came than was asked for")
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of it; raises Overtime and WriteError."""
        del timeout
        view = memoryview(buffer)
        try:
            while view:
                view = view[self._patiently(partial(self._socket.send, view)) :]
        except Overtime:
            raise
        except OSError as error:
            # Whoever hangs up on us may have answered already.
            raise httpcore2.WriteError(error) from error

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        """Encrypt, with whoever can prove to be this host; raises OSError."""
        del timeout
        try:
            secured = ssl_context.wrap_socket(
                self._socket,
                server_hostname=server_hostname,
                do_handshake_on_connect=False,
            )
            self._socket = secured
            self._patiently(secured.do_handshake)
        except BaseException:
            self.close()
            raise
        return self

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore's own
        """The TLS session, if there is one."""
        secured = isinstance(self._socket, ssl.SSLSocket)
        return self._socket if info == "ssl_object" and secured else None

    def _patiently(self, step: Callable[[], T]) -> T:
        while True:
            self._deadline.beat()
            self._socket.settimeout(self._deadline.turn())
            with suppress(TimeoutError):
                return step()


def _dial(
    address: str, port: int, deadline: Deadline, share: Deadline
) -> socket.socket:
    family = socket.AF_INET6 if is_six(address) else socket.AF_INET
    dialled = socket.socket(family, socket.SOCK_STREAM)
    try:
        dialled.setblocking(False)
        _raise(dialled.connect_ex((address, port)), but=errno.EINPROGRESS)
        ready = select.poll()
        ready.register(dialled, select.POLLOUT)
        while not ready.poll(min(deadline.turn(), share.left()) * 1000):
            deadline.beat()
        _raise(dialled.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
        dialled.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        dialled.close()
        raise
    return dialled


def _raise(code: int, but: int = 0) -> None:
    if code not in (0, but):
        raise OSError(code, os.strerror(code))
