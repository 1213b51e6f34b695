"""An object held open: its bytes stay the same, whatever happens to its key."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from pixtools.domain.errors import StorageUnavailable
from pixtools.jobs.ports.blobs import Blob
from pixtools.storage.facts import (
    Facts,
    drop_facts,
    read_facts,
    side_name,
    side_now,
    write_facts,
)
from pixtools.storage.faults import disk_faults
from pixtools.storage.tree import Folder, open_file

CHUNK = 256 * 1024

_ATTEMPTS = 3


class OpenBlob:
    """An open file of the tree. Close it (`with`); forgetting to is harmless."""

    def __init__(self, blob: Blob, fd: int) -> None:
        self.blob = blob
        self._fd: int | None = fd

    @property
    def fd(self) -> int:
        """The open file's descriptor."""
        if self._fd is None:
            raise ValueError("This object was already closed.")
        return self._fd

    @property
    def file(self) -> os.stat_result:
        """What the operating system says of the open file."""
        return os.fstat(self.fd)

    @property
    def modified(self) -> datetime:
        """When the bytes were last written, in whole seconds."""
        return datetime.fromtimestamp(int(self.file.st_mtime), UTC)

    def chunks(self, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """A range of the bytes, in chunks of at most 256 KiB; closes at its end."""
        end = self.blob.bytes if length is None else start + length
        end = min(end, self.blob.bytes)
        with self:
            while start < end:
                chunk = self._piece(start, min(CHUNK, end - start))
                start += len(chunk)
                yield chunk

    def close(self) -> None:
        """Let go; harmless twice."""
        if self._fd is not None:
            os.close(self._fd)
        self._fd = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def _piece(self, start: int, length: int) -> bytes:
        with disk_faults("reading an object"):
            chunk = os.pread(self.fd, length, start)
        if not chunk:
            raise StorageUnavailable("An object was cut short while it was read.")
        return chunk


def open_blob(folder: Folder, name: str, key: str) -> OpenBlob:
    """Open a file of the tree; raises FileNotFoundError."""
    fd = open_file(folder, name)
    try:
        return OpenBlob(_described(folder, name, key, fd), fd)
    except BaseException:
        os.close(fd)
        raise


def _described(folder: Folder, name: str, key: str, fd: int) -> Blob:
    for _ in range(_ATTEMPTS):
        file = os.fstat(fd)
        side = side_name(name, file)
        facts = read_facts(folder, side) or _found_out(folder, name, side, fd)
        if facts:
            return Blob(
                key=key,
                bytes=file.st_size,
                etag=facts.sha256,
                content_type=facts.content_type,
                sha256=facts.sha256,
            )
    raise StorageUnavailable("An object is being changed by other hands.")


def _found_out(folder: Folder, name: str, side: str, fd: int) -> Facts | None:
    """Hash the file and remember; None if its bytes changed meanwhile."""
    sha256, at = hashlib.sha256(), 0
    while chunk := os.pread(fd, CHUNK, at):
        sha256.update(chunk)
        at += len(chunk)
    if side_name(name, os.fstat(fd)) != side:
        return None
    facts = Facts(sha256=sha256.hexdigest())
    with suppress(OSError):  # a folder of other hands may refuse
        write_facts(folder, side, facts)
        if side_now(folder, name) != side:
            drop_facts(folder, side)
    return facts
