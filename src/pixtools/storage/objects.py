"""Objects in a bucket: S3, its kin, and whatever else obstore reaches.

Reading goes by ranges of a few mebibytes, each a request of its own that is bound to
one version of the object. So neither a slow consumer nor a long object needs a
request that lives long, memory stays small, and versions never mix.
"""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import chain, takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import PreconditionError
from obstore.store import ObjectStore

from pixtools.domain.errors import SourceMissing, StorageUnavailable, UploadMismatch
from pixtools.domain.explain import shown
from pixtools.domain.limits import MIB
from pixtools.jobs.ports.blobs import Blob
from pixtools.storage.config import ObjectsConfig
from pixtools.storage.faults import SCRATCH, disk_faults
from pixtools.storage.keys import folder_and_start, names
from pixtools.storage.object_facts import described
from pixtools.storage.object_faults import (
    is_about_some,
    is_behind_the_end,
    store_faults,
)
from pixtools.storage.object_store import impatient, open_store
from pixtools.storage.object_writer import ObjectWriter
from pixtools.storage.sentences import nonsense

if TYPE_CHECKING:  # obstore tells these to type checkers only
    from obstore import Bytes, GetOptions, ObjectMeta

CHUNK = 256 * 1024
PIECE = 4 * MIB
PATIENCE = timedelta(seconds=30)
_PAGE = 1000
_NOTHING = "health"
"""A key below which there is nothing."""
_PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)


def open_objects(config: ObjectsConfig) -> ObjectBlobs:
    """The Blobs port on a bucket; raises ConfigurationInvalid, asks nothing yet."""
    return ObjectBlobs(
        open_store(config),
        open_store(impatient(config)),
        believes=config.kind == "s3",
        patience=config.patience,
    )


class ObjectBlobs:
    """The Blobs port on a bucket. Thread-safe; not to be taken through a fork."""

    def __init__(
        self,
        store: ObjectStore,
        probe: ObjectStore | None = None,
        *,
        believes: bool = True,
        patience: timedelta = PATIENCE,
    ) -> None:
        """`probe` is the same bucket, opened for quick answers.

        A call ends within `patience`, a fetch, which is many, within twice as long.

        `believes` says that nobody but us can have written a SHA-256 into an object's
        metadata: our links to S3 are signed so, other stores' may not be.
        """
        self._opened = store
        self._probe = probe or store
        self._believes = believes
        self._patience = patience.total_seconds()
        self._is_store = False
        self._process = os.getpid()

    def writer(self, key: str, content_type: str | None = None) -> ObjectWriter:
        """Begin to write an object; replaces an older one on commit."""
        names(key)
        return ObjectWriter(
            self._store, key, content_type, self._existing, self._patience
        )

    def read(
        self,
        key: str,
        *,
        start: int = 0,
        length: int | None = None,
        etag: str | None = None,
    ) -> Iterator[bytes]:
        """The object's bytes in chunks; raises SourceMissing and UploadMismatch.

        An object that is replaced meanwhile raises StorageUnavailable, or with `etag`
        UploadMismatch: its rest is gone, and another version's would not fit.
        """
        pieces = self._pieces(key, start, length, etag)
        return _chunks(chain([next(pieces, b"")], pieces))

    def fetch(self, key: str, directory: Path, *, etag: str | None = None) -> Path:
        """A new file in `directory` with the bytes.

        Raises:
            SourceMissing: there is no such object.
            UploadMismatch: it is not, or no longer, the one with this etag.
        """
        path = directory / f"object-{secrets.token_hex(8)}"
        give_up_at = time.monotonic() + self._patience
        try:
            with disk_faults("fetching an object", SCRATCH), path.open("xb") as file:
                for piece in self._pieces(key, etag=etag):
                    file.write(piece)
                    if time.monotonic() > give_up_at:
                        raise StorageUnavailable("An object came too slowly.")
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path

    def stat(self, key: str) -> Blob | None:
        """What is stored under a key, or None.

        `sha256` is known of objects that were written in one request (up to 8 MiB)
        or uploaded through a link with their SHA-256 enforced.
        """
        names(key)
        with suppress(SourceMissing), store_faults("looking for an object"):
            found = obstore.get(self._store, key, options={"head": True})
            return described(key, found, believed=self._believes)
        return None

    def copy(self, key: str, to: str) -> Blob:
        """Copy an object inside the store; raises SourceMissing."""
        names(to)
        if key == to:  # S3 refuses
            return self._existing(key)
        names(key)
        try:
            with store_faults("copying an object"):
                obstore.copy(self._store, key, to)
        except SourceMissing as fault:
            raise _missing(key) from fault
        return self._existing(to)

    def delete(self, prefix: str) -> int:
        """Delete all objects whose key starts with `prefix`; how many."""
        folders, start = folder_and_start(prefix)
        gone = 0
        if start and self.stat(prefix):
            gone = self._delete([prefix])
        # A prefix is made of whole names here. What begins like the last one follows
        # right behind it, in the order in which stores list.
        offset = prefix if start else None
        with store_faults("listing objects"):
            pages = obstore.list(
                self._store, "/".join(folders), offset=offset, chunk_size=_PAGE
            )
            for page in pages:
                alike = list(takewhile(lambda key: key.startswith(prefix), _keys(page)))
                gone += self._delete(alike)
                if len(alike) < len(page):
                    break
        return gone

    def check(self) -> None:
        """Raise StorageUnavailable, within seconds, if the bucket does not answer."""
        with store_faults("probing"):
            next(iter(obstore.list(self._probe, _NOTHING, chunk_size=1)), None)
        if not self._is_store:
            self._refuse_a_page()
            self._is_store = True

    def _refuse_a_page(self) -> None:
        """Raise StorageUnavailable of a server that answers whatever it is asked.

        The page that it serves is taken for a list of no objects. Objects have etags.
        """
        etag: str | None = "of nothing"
        with suppress(SourceMissing, StorageUnavailable), store_faults("probing"):
            etag = obstore.head(self._probe, _NOTHING)["e_tag"]
        if not etag:
            raise StorageUnavailable(nonsense("probing"))

    @property
    def _store(self) -> ObjectStore:
        if os.getpid() != self._process:
            raise RuntimeError(
                "A bucket was opened before this process was forked: its threads "
                "are not here, and every request would wait for ever."
            )
        return self._opened

    def _existing(self, key: str) -> Blob:
        blob = self.stat(key)
        if blob is None:
            raise _missing(key)
        return blob

    def _pieces(
        self,
        key: str,
        start: int = 0,
        length: int | None = None,
        etag: str | None = None,
    ) -> Iterator[Bytes]:
        """A range of one version; the first request decides which, unless told."""
        names(key)
        told = etag
        end = sys.maxsize if length is None else start + length
        if start == end:
            self._existing(key)
        while start < end:
            try:
                piece, blob = self._piece(key, start, min(start + PIECE, end), etag)
            except StorageUnavailable as fault:
                if is_behind_the_end(fault):
                    return
                if told and isinstance(fault.__cause__, PreconditionError):
                    raise UploadMismatch from fault
                raise
            end, etag = min(end, blob.bytes), blob.etag
            if len(piece) != min(PIECE, end - start):
                # Going on with nothing in hand would never end.
                raise StorageUnavailable(
                    "The object store sent another number of bytes than it said."
                )
            yield piece
            start += len(piece)

    def _piece(
        self, key: str, start: int, end: int, etag: str | None
    ) -> tuple[Bytes, Blob]:
        asked: GetOptions = {"range": (start, end)}
        if etag:
            asked["if_match"] = f'"{etag}"'
        with store_faults("reading an object"):
            found = obstore.get(self._store, key, options=asked)
            return found.bytes(), described(key, found, believed=self._believes)

    def _delete(self, keys: list[str]) -> int:
        """Delete at once; again, if only some were refused: most were being written."""
        for pause in (*_PAUSES, None):
            try:
                self._delete_once(keys)
                break
            except StorageUnavailable as fault:
                if pause is None or not is_about_some(fault):
                    raise
                time.sleep(pause)
        return len(keys)

    def _delete_once(self, keys: list[str]) -> None:
        with store_faults("deleting objects"):
            try:
                obstore.delete(self._store, keys)
            except FileNotFoundError:  # not every store forgives a faster delete
                for key in keys:
                    with suppress(FileNotFoundError):
                        obstore.delete(self._store, key)


def _chunks(pieces: Iterable[Bytes | bytes]) -> Iterator[bytes]:
    for piece in pieces:
        view = memoryview(piece)
        for at in range(0, len(view), CHUNK):
            yield bytes(view[at : at + CHUNK])


def _keys(page: Iterable[ObjectMeta]) -> Iterator[str]:
    return (entry["path"] for entry in page)


def _missing(key: str) -> SourceMissing:
    return SourceMissing(f"There is no object under {shown(key)}.")
