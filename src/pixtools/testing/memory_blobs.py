"""In-memory twins of Blobs, Links and Scratch: the same promises, no disk."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from pixtools.domain.errors import SourceMissing, StorageUnavailable, UploadMismatch
from pixtools.jobs.ports.blobs import Blob, SignedUpload
from pixtools.jobs.ports.work import Clock
from pixtools.testing.http_answer import HttpAnswer

_CHUNK = 256 * 1024
_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Object:
    data: bytes
    content_type: str | None


class MemoryBlobs:
    """Blobs in a dictionary. Set `away` and every call raises StorageUnavailable."""

    def __init__(self) -> None:
        self.away = False
        self._objects: dict[str, _Object] = {}

    def writer(self, key: str, content_type: str | None = None) -> MemoryWriter:
        """Begin to write an object; replaces an older one on commit."""
        self._reach()
        return MemoryWriter(self, key, content_type)

    def read(
        self,
        key: str,
        *,
        start: int = 0,
        length: int | None = None,
        etag: str | None = None,
    ) -> Iterator[bytes]:
        """The object's bytes in chunks; raises SourceMissing and UploadMismatch."""
        data = self._existing(key, etag).data
        end = len(data) if length is None else min(start + length, len(data))
        edges = range(start, end, _CHUNK)
        return (data[at : min(at + _CHUNK, end)] for at in edges)

    def fetch(self, key: str, directory: Path, *, etag: str | None = None) -> Path:
        """A file in `directory` with the bytes."""
        found = self._existing(key, etag)
        path = directory / f"object-{secrets.token_hex(8)}"
        path.write_bytes(found.data)
        return path

    def stat(self, key: str) -> Blob | None:
        """What is stored under a key, or None."""
        self._reach()
        found = self._objects.get(key)
        return _blob(key, found) if found else None

    def copy(self, key: str, to: str) -> Blob:
        """Copy an object; raises SourceMissing."""
        return self.put(to, self._existing(key))

    def delete(self, prefix: str) -> int:
        """Delete all objects whose key starts with `prefix`; how many."""
        self._reach()
        gone = [key for key in list(self._objects) if key.startswith(prefix)]
        return sum(self._objects.pop(key, None) is not None for key in gone)

    def keys(self) -> list[str]:
        """Every key, sorted; beyond the port, for tests."""
        return sorted(self._objects)

    def put(self, key: str, thing: _Object) -> Blob:
        """Store at once; what writers do on commit."""
        self._reach()
        self._objects[key] = thing
        return _blob(key, thing)

    def _existing(self, key: str, etag: str | None = None) -> _Object:
        self._reach()
        found = self._objects.get(key)
        if found is None:
            raise SourceMissing(f"There is no object under {key!r}.")
        if etag not in {None, _blob(key, found).etag}:
            raise UploadMismatch
        return found

    def _reach(self) -> None:
        if self.away:
            raise StorageUnavailable


class MemoryWriter:
    """Bytes on their way into a dictionary."""

    def __init__(self, blobs: MemoryBlobs, key: str, content_type: str | None) -> None:
        self._blobs = blobs
        self._key = key
        self._content_type = content_type
        self._data: bytearray | None = bytearray()

    def write(self, chunk: bytes) -> None:
        """Append."""
        self._open().extend(chunk)

    def take(self, file: Path, beat: Callable[[], None]) -> None:
        """Append a whole file."""
        self._open()
        if file.is_symlink() or not file.is_file():
            raise StorageUnavailable
        data = file.read_bytes()
        for at in range(0, len(data), _PIECE):
            self.write(data[at : at + _PIECE])
            beat()

    def commit(self, *, more: bool = False) -> Blob:
        """Make the object visible; nothing here survives a power cut."""
        del more
        done = _Object(bytes(self._open()), self._content_type)
        self._data = None
        return self._blobs.put(self._key, done)

    def abort(self) -> None:
        """Drop what was written. Harmless after `commit`, and twice."""
        self._data = None

    def _open(self) -> bytearray:
        if self._data is None:
            raise ValueError("This object was already committed or aborted.")
        return self._data


@dataclass(frozen=True, slots=True, kw_only=True)
class _Permission:
    method: str
    key: str
    expires_at: datetime
    filename: str | None = None
    content_type: str | None = None
    bytes: int | None = None
    sha256: str | None = None


class MemoryLinks:
    """Links whose server is `request`, right here: URLs begin with `memory:`."""

    def __init__(
        self,
        blobs: MemoryBlobs,
        clock: Clock,
        *,
        expiry: timedelta = timedelta(minutes=15),
        max_upload_bytes: int = 1024 * 1024,
    ) -> None:
        self._blobs = blobs
        self._clock = clock
        self._expiry = expiry
        self._max_upload_bytes = max_upload_bytes
        self._given: dict[str, _Permission] = {}

    def download(
        self, key: str, filename: str, content_type: str
    ) -> tuple[str, datetime]:
        """A URL that serves an object under a download name, and until when."""
        permission = _Permission(
            method="GET",
            key=key,
            expires_at=self._until(),
            filename=filename,
            content_type=content_type,
        )
        return self._url(permission), permission.expires_at

    def upload(
        self,
        key: str,
        *,
        content_type: str | None,
        bytes: int | None,
        sha256: str | None,
    ) -> SignedUpload:
        """Permission to PUT one object; announced size and hash are enforced."""
        permission = _Permission(
            method="PUT",
            key=key,
            expires_at=self._until(),
            content_type=content_type,
            bytes=bytes,
            sha256=sha256.lower() if sha256 else None,
        )
        return SignedUpload(
            url=self._url(permission),
            headers={"Content-Type": content_type} if content_type else {},
            expires_at=permission.expires_at,
        )

    def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> HttpAnswer:
        """What a server would answer."""
        permission = self._given.get(url)
        allowed = {"GET": ("GET", "HEAD"), "PUT": ("PUT",)}
        if permission is None or method not in allowed[permission.method]:
            return HttpAnswer(403)
        if self._clock.now() >= permission.expires_at:
            return HttpAnswer(403)
        if method == "PUT":
            return self._put(permission, headers, body)
        answer = self._get(permission)
        return answer if method == "GET" else replace(answer, body=b"")

    def _get(self, permission: _Permission) -> HttpAnswer:
        blob = self._blobs.stat(permission.key)
        if blob is None:
            return HttpAnswer(404)
        headers = {
            "content-type": str(permission.content_type),
            "content-disposition": f'attachment; filename="{permission.filename}"',
            "content-length": str(blob.bytes),
            "etag": f'"{blob.etag}"',
        }
        return HttpAnswer(200, headers, b"".join(self._blobs.read(permission.key)))

    def _put(
        self, permission: _Permission, headers: Mapping[str, str], body: bytes
    ) -> HttpAnswer:
        sent = {name.lower(): value for name, value in headers.items()}
        if len(body) > self._max_upload_bytes:
            return HttpAnswer(413)
        announced = [
            (permission.content_type, sent.get("content-type")),
            (permission.bytes, len(body)),
            (permission.sha256, hashlib.sha256(body).hexdigest()),
        ]
        if any(want is not None and want != got for want, got in announced):
            return HttpAnswer(409)
        thing = _Object(body, sent.get("content-type"))
        blob = self._blobs.put(permission.key, thing)
        return HttpAnswer(200, {"etag": f'"{blob.etag}"'})

    def _until(self) -> datetime:
        return (self._clock.now() + self._expiry).replace(microsecond=0)

    def _url(self, permission: _Permission) -> str:
        url = f"memory:/files/{permission.key}?token={secrets.token_urlsafe(16)}"
        self._given[url] = permission
        return url


class TemporaryScratch:
    """Scratch in the machine's temporary directory."""

    @contextmanager
    def directory(self) -> Iterator[Path]:
        """A fresh, empty, private directory."""
        with TemporaryDirectory(prefix="pixtools-") as path:
            yield Path(path)


def _blob(key: str, thing: _Object) -> Blob:
    sha256 = hashlib.sha256(thing.data).hexdigest()
    return Blob(
        key=key,
        bytes=len(thing.data),
        etag=sha256,
        content_type=thing.content_type,
        sha256=sha256,
    )
