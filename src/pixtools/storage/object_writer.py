"""One object on its way into a bucket."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import obstore
from obstore.store import ObjectStore

from pixtools.jobs.ports.blobs import Blob
from pixtools.storage.multipart import PART, Multipart
from pixtools.storage.object_facts import attributes, plain_etag
from pixtools.storage.object_faults import store_faults
from pixtools.storage.taking import feed

_WRITING = "writing an object"


class ObjectWriter:
    """Hashes and counts while it writes; at most two parts are held in memory.

    What fits into one part is sent in one request, and its SHA-256 is stored with it.
    A longer object goes in parts; its metadata has to be sent first, when its hash is
    not known yet.
    """

    def __init__(
        self,
        store: ObjectStore,
        key: str,
        content_type: str | None,
        find: Callable[[str], Blob],
        patience: float,
    ) -> None:
        """`find` says what is stored, for stores that tell no etag on completion.

        `patience` is the longest that one call may take (seconds).
        """
        self._store = store
        self._key = key
        self._content_type = content_type
        self._find = find
        self._patience = patience
        self._hash = hashlib.sha256()
        self._bytes = 0
        self._part: bytearray | None = bytearray()
        self._parts: Multipart | None = None

    def write(self, chunk: bytes) -> None:
        """Append; raises StorageUnavailable, and drops everything, if it can't."""
        part = self._open()
        rest = memoryview(chunk)
        try:
            while rest:
                if len(part) == PART:
                    part = self._send(part)
                room = PART - len(part)
                part += rest[:room]
                rest = rest[room:]
        except BaseException:
            self.abort()
            raise
        self._hash.update(chunk)
        self._bytes += len(chunk)

    def take(self, file: Path, beat: Callable[[], None]) -> None:
        """Append a whole file, as it is read."""
        self._open()
        feed(file, self.write, beat)

    def commit(self, *, more: bool = False) -> Blob:
        """Make the object visible; each one lasts by itself."""
        del more
        part = self._open()
        try:
            with store_faults(_WRITING, reads=False):
                etag = self._put(part) if self._parts is None else self._finish(part)
            etag = etag or self._find(self._key).etag
        except BaseException:
            self.abort()
            raise
        self._part = self._parts = None
        return Blob(
            key=self._key,
            bytes=self._bytes,
            etag=etag,
            content_type=self._content_type,
            sha256=self._hash.hexdigest(),
        )

    def abort(self) -> None:
        """Drop what was written. Harmless after `commit`, and twice.

        Parts that can't be dropped now, because the store is away, are dropped by
        the bucket's lifecycle rules.
        """
        parts, self._part, self._parts = self._parts, None, None
        if parts:
            parts.abort()

    def __del__(self) -> None:
        self.abort()

    def _open(self) -> bytearray:
        if self._part is None:
            raise ValueError("This object was already committed or aborted.")
        return self._part

    def _send(self, part: bytearray) -> bytearray:
        if self._parts is None:
            told = attributes(self._content_type)
            self._parts = Multipart(self._store, self._key, told, self._patience)
        with store_faults(_WRITING, reads=False):
            self._parts.push(part)
        self._part = bytearray()
        return self._part

    def _put(self, part: bytearray) -> str:
        told = attributes(self._content_type, self._hash.hexdigest())
        put = obstore.put(
            self._store, self._key, part, attributes=told, use_multipart=False
        )
        return plain_etag(put["e_tag"])

    def _finish(self, part: bytearray) -> str:
        parts = self._parts
        if parts is None:
            raise AssertionError
        return plain_etag(parts.finish(part)["e_tag"])
