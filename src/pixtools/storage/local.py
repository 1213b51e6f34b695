"""Objects on a directory tree of this machine: a key is a path below a root.

Objects are replaced by renaming, never written in place, and their files are
read-only. So a second name for a file is as good as a copy of it: `copy` and `fetch`
make hard links. A file that was put into the tree by other hands, and may change in
place, is copied by reading it (it has to be read for its hash anyway; a reflink
would save nothing).
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from pixtools.domain.errors import SourceMissing, StorageUnavailable, UploadMismatch
from pixtools.domain.explain import shown
from pixtools.jobs.ports.blobs import Blob
from pixtools.storage.facts import Facts, belongs_to
from pixtools.storage.faults import disk_faults
from pixtools.storage.incoming import PROBE, Incoming
from pixtools.storage.keys import folder_and_start, names
from pixtools.storage.opened import OpenBlob, open_blob
from pixtools.storage.tree import Folder, open_folder, remove
from pixtools.storage.writer import LocalWriter

_ATTEMPTS = 3
_ABSENT = (FileNotFoundError, NotADirectoryError)


class LocalBlobs:
    """The Blobs port on a directory tree. An object's etag is its SHA-256."""

    def __init__(self, root: Path) -> None:
        """Nothing is made before the first object is written."""
        self._root = root.absolute()
        self._incoming = Incoming(self._root)

    def writer(self, key: str, content_type: str | None = None) -> LocalWriter:
        """Begin to write an object; replaces an older one on commit."""
        return LocalWriter(self._incoming, key, content_type)

    def read(
        self,
        key: str,
        *,
        start: int = 0,
        length: int | None = None,
        etag: str | None = None,
    ) -> Iterator[bytes]:
        """The object's bytes in chunks; raises SourceMissing and UploadMismatch."""
        opened = self._existing(key)
        if etag not in {None, opened.blob.etag}:
            opened.close()
            raise UploadMismatch
        return opened.chunks(start, length)

    def fetch(self, key: str, directory: Path, *, etag: str | None = None) -> Path:
        """A read-only path: a link in `directory` that later writers can't touch.

        Where links can't be made (another file system) it is the object's own path.

        Raises:
            SourceMissing: there is no such object.
            UploadMismatch: it is not, or no longer, the one with this etag.
        """
        for _ in range(_ATTEMPTS):
            with self._existing(key) as opened:
                if etag not in {None, opened.blob.etag}:
                    raise UploadMismatch
                path = self._linked(key, directory, opened)
            if path:
                return path
        raise StorageUnavailable("An object was replaced again and again.")

    def stat(self, key: str) -> Blob | None:
        """What is stored under a key, or None."""
        opened = self.open(key)
        if opened is None:
            return None
        with opened:
            return opened.blob

    def copy(self, key: str, to: str) -> Blob:
        """Copy an object inside the tree; raises SourceMissing."""
        target = names(to)
        with self._existing(key) as opened:
            if _never_changes(opened.file) and self._copied_by_link(opened, target):
                return replace(opened.blob, key=to)
            return self._copied_by_reading(opened, to)

    def delete(self, prefix: str) -> int:
        """Delete all objects whose key starts with `prefix`; how many.

        No empty directory stays behind. An object that is committed meanwhile is
        either deleted too or stays whole. Deleted means deleted after a power cut.
        """
        folders, start = folder_and_start(prefix)
        with (
            disk_faults("deleting objects"),
            suppress(*_ABSENT),
            open_folder(self._root, folders) as folder,
        ):
            return _deleted(folder, start)
        return 0

    def open(self, key: str) -> OpenBlob | None:
        """Hold an object open, or None if there is none; beyond the port."""
        *folders, leaf = names(key)
        with (
            disk_faults("opening an object"),
            suppress(*_ABSENT),
            open_folder(self._root, folders) as folder,
        ):
            return open_blob(folder, leaf, key)
        return None

    def sweep(self, older_than: timedelta) -> int:
        """Remove what writers that died have left behind; how many files."""
        with disk_faults("sweeping the incoming area"):
            return self._incoming.sweep(older_than)

    def check(self) -> None:
        """Raise StorageUnavailable if nothing can be written."""
        with disk_faults("probing"):
            name, fd = self._incoming.create(PROBE)
            try:
                os.write(fd, b"\0")
            finally:
                os.close(fd)
                self._incoming.discard(name)

    def _existing(self, key: str) -> OpenBlob:
        opened = self.open(key)
        if opened is None:
            raise SourceMissing(f"There is no object under {shown(key)}.")
        return opened

    def _linked(self, key: str, directory: Path, opened: OpenBlob) -> Path | None:
        """Link to the open file; None if the key has moved on to another one."""
        link = directory / f"object-{secrets.token_hex(8)}"
        source = self._root.joinpath(*names(key))
        try:
            os.link(source, link, follow_symlinks=False)
        except FileNotFoundError:
            if not directory.is_dir():
                raise
            return None
        except OSError:
            return source
        if os.path.samestat(link.lstat(), opened.file):
            return link
        link.unlink()
        return None

    def _copied_by_link(self, opened: OpenBlob, target: tuple[str, ...]) -> bool:
        *folders, leaf = names(opened.blob.key)
        facts = Facts(sha256=opened.blob.etag, content_type=opened.blob.content_type)
        with disk_faults("copying an object"):
            try:
                with open_folder(self._root, folders) as folder:
                    linked = self._incoming.link(folder, leaf, opened.file)
            except OSError:  # too many links, or a file system without any
                return False
            try:
                self._incoming.publish(linked, opened.fd, target, facts)
            finally:
                self._incoming.discard(linked)
        return True

    def _copied_by_reading(self, opened: OpenBlob, to: str) -> Blob:
        writer = self.writer(to, opened.blob.content_type)
        try:
            for chunk in opened.chunks():
                writer.write(chunk)
            return writer.commit()
        finally:
            writer.abort()


def _never_changes(file: os.stat_result) -> bool:
    """Whether this tree wrote it: then it is read-only."""
    return not stat.S_IMODE(file.st_mode) & 0o222


def _deleted(folder: Folder, start: str) -> int:
    gone = 0
    for name in folder.entries():
        if (belongs_to(name) if name.startswith(".") else name).startswith(start):
            gone += remove(folder, name)
    if gone:
        folder.sync()
    folder.prune()
    return gone
