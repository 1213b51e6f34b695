"""Looking up names, in a limited time: the system's own resolver knows no limit."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from threading import Event, Semaphore, Thread
from typing import Final

from pixtools.net.deadline import Deadline, Overtime
from pixtools.net.errors import Refused, Unreachable

Resolve = Callable[[str, int], Sequence[str]]
"""All addresses of a host, for a port; raises `socket.gaierror`."""

_AWAY: Final = frozenset({socket.EAI_AGAIN, socket.EAI_MEMORY, socket.EAI_SYSTEM})
"""The resolver's own trouble, which says nothing about the name."""


def system_resolver(host: str, port: int) -> Sequence[str]:
    """Ask whatever this machine asks; raises `socket.gaierror`."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(each[4][0]) for each in found))


class Lookups:
    """Looks names up, so many at once; what hangs is left to itself."""

    def __init__(self, resolve: Resolve, most: int) -> None:
        self._resolve = resolve
        self._free = Semaphore(most)

    def look_up(self, host: str, port: int, deadline: Deadline) -> Sequence[str]:
        """All addresses of a host.

        Raises Unreachable where none came in time; Refused for a name that does not
        exist: an answer of its own would tell strangers which names do, inside.
        """
        found = self._answered(host, port, deadline)
        if isinstance(found, socket.gaierror) and found.errno in _AWAY:
            raise Unreachable from found
        if isinstance(found, Exception):
            raise Refused from found
        return found

    def _answered(
        self, host: str, port: int, deadline: Deadline
    ) -> Sequence[str] | Exception:
        answers: list[Sequence[str] | Exception] = []
        came = Event()

        def ask() -> None:
            try:
                answers.append(self._resolve(host, port))
            except Exception as error:  # noqa: BLE001 - told to whoever waits
                answers.append(error)
            finally:
                self._free.release()
                came.set()

        try:
            _wait(lambda seconds: self._free.acquire(timeout=seconds), deadline)
            Thread(target=ask, name=f"look up {host}", daemon=True).start()
            _wait(came.wait, deadline)
        except Overtime as error:
            raise Unreachable from error
        return answers[0]


def _wait(waited: Callable[[float], bool], deadline: Deadline) -> None:
    while not waited(deadline.turn()):
        deadline.beat()
