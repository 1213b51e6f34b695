"""One object on its way into the tree."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from pixtools.jobs.ports.blobs import Blob
from pixtools.storage.facts import Facts
from pixtools.storage.faults import disk_faults
from pixtools.storage.incoming import Incoming
from pixtools.storage.keys import names
from pixtools.storage.taking import PIECE, feed

_WRITING = "writing an object"


class LocalWriter:
    """Hashes and counts while it writes; nobody sees the file before `commit`."""

    def __init__(self, incoming: Incoming, key: str, content_type: str | None) -> None:
        self._to = names(key)
        self._key = key
        self._content_type = content_type
        self._incoming = incoming
        self._hash = hashlib.sha256()
        self._bytes = 0
        self._over = False
        self._name = ""
        self._fd: int | None = None

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._bytes

    @property
    def sha256(self) -> str:
        """Of what was written so far, in hexadecimal."""
        return self._hash.hexdigest()

    def write(self, chunk: bytes) -> None:
        """Append; raises StorageUnavailable, and drops everything, if it can't."""
        fd = self._open()
        rest = memoryview(chunk)
        try:
            with disk_faults(_WRITING):
                while rest:
                    rest = rest[os.write(fd, rest) :]
        except BaseException:
            self.abort()
            raise
        self._count(chunk)

    def take(self, file: Path, beat: Callable[[], None]) -> None:
        """Append a whole file: by a second name for it, where that can be."""
        if self._fd is None and self._taken(file):
            for piece in self._pieces():
                self._count(piece)
                beat()
            return
        feed(file, self.write, beat)

    def commit(self, *, more: bool = False) -> Blob:
        """Make the object visible and durable; with `more` its name is not yet so."""
        fd, sha256 = self._open(), self.sha256
        facts = Facts(sha256=sha256, content_type=self._content_type)
        try:
            with disk_faults(_WRITING):
                os.fchmod(fd, 0o400)
                self._incoming.publish(self._name, fd, self._to, facts, more=more)
        except BaseException:
            self.abort()
            raise
        self._close()
        return Blob(
            key=self._key,
            bytes=self._bytes,
            etag=sha256,
            content_type=self._content_type,
            sha256=sha256,
        )

    def abort(self) -> None:
        """Drop what was written. Harmless after `commit`, and twice."""
        if self._fd is not None:
            with suppress(OSError):  # what stays behind, `sweep` finds
                self._incoming.discard(self._name)
        self._close()

    def __del__(self) -> None:
        self.abort()

    def _open(self) -> int:
        """The file that grows; made with its first byte, since it may be another's."""
        if self._over:
            raise ValueError("This object was already committed or aborted.")
        if self._fd is None:
            with disk_faults(_WRITING):
                self._name, self._fd = self._incoming.create()
        return self._fd

    def _taken(self, file: Path) -> bool:
        """Whether the file itself has become what is to be published."""
        if self._over:
            raise ValueError("This object was already committed or aborted.")
        with disk_faults(_WRITING):
            adopted = self._incoming.adopt(file)
        if adopted is None:
            return False
        self._name, self._fd = adopted
        return True

    def _pieces(self) -> Iterator[bytes]:
        fd = self._open()
        while True:
            with disk_faults("reading a file"):
                piece = os.read(fd, PIECE)
            if not piece:
                return
            yield piece

    def _count(self, chunk: bytes) -> None:
        self._hash.update(chunk)
        self._bytes += len(chunk)

    def _close(self) -> None:
        self._over = True
        if self._fd is not None:
            os.close(self._fd)
        self._fd = None
