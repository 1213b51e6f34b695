"""What `/files/…` answers, without a framework: signed links in, bytes out or in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from pixtools.domain.errors import (
    SourceMissing,
    UploadMismatch,
    UploadTooLarge,
)
from pixtools.jobs.ports.blobs import Blob
from pixtools.jobs.ports.work import Clock
from pixtools.storage.conditions import (
    RangeUnsatisfiable,
    http_date,
    is_unchanged,
    wanted_range,
)
from pixtools.storage.config import StorageConfig
from pixtools.storage.disposition import attachment
from pixtools.storage.local import LocalBlobs
from pixtools.storage.opened import OpenBlob
from pixtools.storage.signing import Method, Permission, Secrets, verify
from pixtools.storage.writer import LocalWriter

_ALWAYS = {
    "Accept-Ranges": "bytes",
    "Cache-Control": "private, max-age=3600",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Download:
    """An answer: 200, 206, 304 or 416. Close it when it is not read to its end."""

    status: int
    headers: Mapping[str, str]
    opened: OpenBlob
    start: int = 0
    length: int = 0

    def chunks(self) -> Iterator[bytes]:
        """The body."""
        return self.opened.chunks(self.start, self.length)

    def close(self) -> None:
        """Let go of the file."""
        self.opened.close()


class Upload:
    """A writer that takes exactly what was announced, and no more than is allowed."""

    def __init__(self, writer: LocalWriter, permission: Permission, limit: int) -> None:
        self._writer = writer
        self._permission = permission
        self._limit = limit

    def write(self, chunk: bytes) -> None:
        """Append; raises UploadTooLarge, UploadMismatch as soon as it is known."""
        length = self._writer.size + len(chunk)
        with self._or_nothing():
            check_length(length, self._permission, self._limit, whole=False)
            self._writer.write(chunk)

    def commit(self) -> Blob:
        """Make the object visible; raises UploadMismatch, and then nothing is."""
        announced, received = self._permission.sha256, self._writer.sha256
        with self._or_nothing():
            check_length(self._writer.size, self._permission, self._limit, whole=True)
            if announced not in {None, received}:
                raise UploadMismatch(
                    f"Expected bytes with SHA-256 {announced} but received {received}."
                )
            return self._writer.commit()

    def abort(self) -> None:
        """Drop what came. Harmless after `commit`, and twice."""
        self._writer.abort()

    @contextmanager
    def _or_nothing(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.abort()
            raise


class Files:
    """The door to a directory tree for whoever holds a signed link."""

    def __init__(
        self, blobs: LocalBlobs, config: StorageConfig, secrets: Secrets, clock: Clock
    ) -> None:
        self._blobs = blobs
        self._limit = config.max_upload_bytes
        self._secrets = secrets
        self._clock = clock

    def download(self, key: str, token: str, headers: Mapping[str, str]) -> Download:
        """Answer a GET or HEAD; header names in lower case.

        Raises:
            LinkInvalid, LinkExpired: the link does not permit it.
            SourceMissing: there is nothing (any more) to serve.
        """
        permission = self._permitted(key, token, "GET")
        opened = self._blobs.open(key)
        if opened is None:
            raise SourceMissing("This file was deleted.")
        etag, modified = f'"{opened.blob.etag}"', opened.modified
        common = _described(permission, etag, http_date(modified))
        if is_unchanged(headers, etag, modified):
            return Download(304, common, opened)
        return _ranged(opened, common, headers, etag)

    def upload(
        self, key: str, token: str, *, content_type: str | None, length: int
    ) -> Upload:
        """Begin to take a PUT of `length` bytes.

        Raises:
            LinkInvalid, LinkExpired: the link does not permit it.
            UploadTooLarge, UploadMismatch: the head of the request says already
                that this is not what was announced.
        """
        permission = self._permitted(key, token, "PUT")
        check_length(length, permission, self._limit, whole=True)
        _check_type(content_type, permission)
        writer = self._blobs.writer(key, content_type)
        return Upload(writer, permission, self._limit)

    def _permitted(self, key: str, token: str, method: Method) -> Permission:
        return verify(token, method, key, self._clock.now(), self._secrets)


def check_length(
    length: int, permission: Permission, limit: int, *, whole: bool
) -> None:
    """Compare a byte count, so far or `whole`, with limit and announcement."""
    if length > limit:
        raise UploadTooLarge(f"Expected a file of at most {limit} bytes.")
    announced = permission.bytes
    if announced is None or (length <= announced and not whole):
        return
    if length != announced:
        received = f"received {length}" if whole else "received more"
        raise UploadMismatch(f"Expected {announced} bytes but {received}.")


def _check_type(content_type: str | None, permission: Permission) -> None:
    announced = permission.content_type
    if announced and (content_type or "").lower() != announced.lower():
        raise UploadMismatch(
            f"Expected content type {announced} but received {content_type or 'none'}."
        )


def _described(permission: Permission, etag: str, modified: str) -> dict[str, str]:
    filename = permission.filename or permission.key.rpartition("/")[2]
    return {
        **_ALWAYS,
        "Content-Disposition": attachment(filename),
        "Content-Type": permission.content_type or "application/octet-stream",
        "ETag": etag,
        "Last-Modified": modified,
    }


def _ranged(
    opened: OpenBlob, common: dict[str, str], headers: Mapping[str, str], etag: str
) -> Download:
    size = opened.blob.bytes
    try:
        found = wanted_range(headers, size, etag, opened.modified)
    except RangeUnsatisfiable:
        return Download(416, {"Content-Range": f"bytes */{size}"}, opened)
    start, length = found or (0, size)
    sized = {**common, "Content-Length": str(length)}
    if found is None:
        return Download(200, sized, opened, start, length)
    sized["Content-Range"] = f"bytes {start}-{start + length - 1}/{size}"
    return Download(206, sized, opened, start, length)
