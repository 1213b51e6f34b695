"""A store that is away is said once in the log, and once that it is back.

Whoever asks it gets an error that is put aside: a worker's stages wait, clients come
again. Nobody else would tell the operator.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from pixtools.domain.errors import StorageUnavailable
from pixtools.jobs.ports.blobs import Blob, Blobs, BlobWriter, Scratch
from pixtools.storage.told import told

log = logging.getLogger(__name__)
REST: Final = 60.0
"""Seconds in which a store that comes and goes is said to be away once."""


class Watch:
    """What is known of a place, by its name; any thread may tell it more."""

    def __init__(
        self, name: str = "storage", now: Callable[[], float] = time.monotonic
    ) -> None:
        self._name = name
        self._now = now
        self._away = False
        self._said_again_at = now()

    @contextmanager
    def asked(self) -> Iterator[None]:
        """For the block of one question."""
        try:
            yield
        except StorageUnavailable as fault:
            self._lost(fault)
            raise
        if self._away:
            self._away = False
            log.info("%s_back", self._name)

    def _lost(self, fault: StorageUnavailable) -> None:
        if self._away or self._now() < self._said_again_at:
            return
        self._away = True
        self._said_again_at = self._now() + REST
        log.warning("%s_away", self._name, extra={"detail": told(fault)})


class NotedBlobs:
    """The Blobs port over another one that is watched."""

    def __init__(self, blobs: Blobs, watch: Watch) -> None:
        self._blobs = blobs
        self._watch = watch

    def writer(self, key: str, content_type: str | None = None) -> BlobWriter:
        """As the store does, which is not asked yet."""
        return _NotedWriter(self._blobs.writer(key, content_type), self._watch)

    def read(
        self,
        key: str,
        *,
        start: int = 0,
        length: int | None = None,
        etag: str | None = None,
    ) -> Iterator[bytes]:
        """As the store does; its first answer is watched."""
        with self._watch.asked():
            return self._blobs.read(key, start=start, length=length, etag=etag)

    def fetch(self, key: str, directory: Path, *, etag: str | None = None) -> Path:
        """As the store does."""
        with self._watch.asked():
            return self._blobs.fetch(key, directory, etag=etag)

    def stat(self, key: str) -> Blob | None:
        """As the store does."""
        with self._watch.asked():
            return self._blobs.stat(key)

    def copy(self, key: str, to: str) -> Blob:
        """As the store does."""
        with self._watch.asked():
            return self._blobs.copy(key, to)

    def delete(self, prefix: str) -> int:
        """As the store does."""
        with self._watch.asked():
            return self._blobs.delete(prefix)


class _NotedWriter:
    """A writer whose end is watched, and whose pieces are its own affair."""

    def __init__(self, writer: BlobWriter, watch: Watch) -> None:
        self._watch = watch
        self._writer = writer
        self.write = writer.write
        self.abort = writer.abort

    def take(self, file: Path, beat: Callable[[], None]) -> None:
        """As the store does."""
        with self._watch.asked():
            self._writer.take(file, beat)

    def commit(self, *, more: bool = False) -> Blob:
        """As the store does."""
        with self._watch.asked():
            return self._writer.commit(more=more)


class NotedScratch:
    """The Scratch port over another one that is watched."""

    def __init__(self, scratch: Scratch, watch: Watch) -> None:
        self._scratch = scratch
        self._watch = watch

    @contextmanager
    def directory(self) -> Iterator[Path]:
        """As the scratch does; what happens in it is no matter of this."""
        with ExitStack() as stack:
            with self._watch.asked():
                path = stack.enter_context(self._scratch.directory())
            yield path
