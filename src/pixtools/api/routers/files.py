"""Files behind signed links: `GET`, `HEAD` and `PUT` of `/files/…`.

Only a local store needs this door; an object store serves its own links. The link
is the permission, so no key is asked for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from functools import partial
from threading import Lock
from typing import Annotated, Final, NamedTuple, Protocol

import anyio
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Path, Query, Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse

from pixtools.api import bodies, problems
from pixtools.api.refusals import refusals
from pixtools.domain.errors import SourceMissing
from pixtools.jobs.ports.blobs import Blob

BATCH_BYTES: Final = 1024 * 1024
"""How much is handed to a thread at a time."""

FILES_AT_ONCE: Final = 32
"""Threads that read or write pieces of files, apart from those of other requests."""

Key = Annotated[str, Path(description="Where the object rests.")]
Token = Annotated[str, Query(description="The permission: part of the link.")]


class Download(Protocol):
    """An answer, and the bytes that belong to it."""

    @property
    def status(self) -> int:
        """200, 206, 304 or 416."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """All that describe the body."""
        ...

    def chunks(self) -> Iterator[bytes]:
        """The body; empty for 304 and 416."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


class Upload(Protocol):
    """A file on its way in: invisible until `commit`."""

    def write(self, chunk: bytes) -> None:
        """Append."""
        ...

    def commit(self) -> Blob:
        """Make it visible."""
        ...

    def abort(self) -> None:
        """Drop what was written. Harmless after `commit`."""
        ...


class FileDoor(Protocol):
    """A store that honours its own links; storage provides it."""

    def download(self, key: str, token: str, headers: Mapping[str, str]) -> Download:
        """Answer a GET; raises LinkInvalid, LinkExpired, SourceMissing."""
        ...

    def upload(
        self, key: str, token: str, *, content_type: str | None, length: int
    ) -> Upload:
        """Take a PUT.

        Raises LinkInvalid, LinkExpired, UploadTooLarge and UploadMismatch, the
        latter two also on `write` and `commit`.
        """
        ...


def files_router(door: FileDoor, *, idle_timeout: float = 60.0) -> APIRouter:
    """The routes of one door; `idle_timeout` in seconds bounds a silent upload."""
    router = APIRouter(tags=["files"])
    threads = CapacityLimiter(FILES_AT_ONCE)

    @router.get(
        "/files/{key:path}",
        response_class=Response,
        responses={
            **_FOUND,
            **refusals("link_invalid", "link_expired", 404, 416, "storage_unavailable"),
        },
    )
    async def download_file(key: Key, request: Request, token: Token = "") -> Response:
        """Serve a file; ranges and conditional requests are honoured."""
        return await _downloaded(door, key, token, request, threads)

    @router.head("/files/{key:path}", include_in_schema=False)
    async def describe_file(key: Key, request: Request, token: Token = "") -> Response:
        """Say what a GET would answer."""
        return await _downloaded(door, key, token, request, threads)

    @router.put(
        "/files/{key:path}",
        response_class=Response,
        responses={**_STORED, **refusals(*_PUT_REFUSALS)},
        openapi_extra=_ANY_BODY,
    )
    async def upload_file(key: Key, request: Request, token: Token = "") -> Response:
        """Store a file: exactly the one that was announced for this link."""
        return await _uploaded(door, key, token, request, idle_timeout, threads)

    return router


_FOUND: Final[dict[int | str, dict[str, object]]] = {
    200: {
        "description": "The file.",
        "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
    },
    206: {"description": "The part that Range asked for."},
    304: {"description": "The client has this version already."},
}
_STORED: Final[dict[int | str, dict[str, object]]] = {
    200: {"description": "Stored; the ETag is the object's."},
}
_PUT_REFUSALS: Final = (
    408,
    411,
    "link_invalid",
    "link_expired",
    "upload_too_large",
    "upload_mismatch",
    "storage_unavailable",
)
_ANY_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class _Begun(NamedTuple):
    download: Download
    chunks: Iterator[bytes]
    first: bytes


async def _downloaded(
    door: FileDoor, key: str, token: str, request: Request, threads: CapacityLimiter
) -> Response:
    begin = partial(_begin, door, key, token, request)
    begun = await to_thread.run_sync(begin, limiter=threads)
    status, headers = begun.download.status, begun.download.headers
    if status == 416:
        text = "Expected a range inside the file."
        refused = problems.of_status(416, text, problems.request_id_of(request))
        return problems.response(refused, headers)
    if request.method == "HEAD" or status == 304:
        return Response(status_code=status, headers=dict(headers))
    return StreamingResponse(_sent(begun, threads), status_code=status, headers=headers)


def _begin(door: FileDoor, key: str, token: str, request: Request) -> _Begun:
    """Open and read the first chunk in one go: most files have no other."""
    try:
        download = door.download(key, token, request.headers)
    except SourceMissing as missing:
        raise HTTPException(404, missing.detail) from missing
    chunks: Iterator[bytes] = iter(())
    if request.method == "HEAD" or download.status in {304, 416}:
        download.close()
    else:
        chunks = download.chunks()
    return _Begun(download, chunks, next(chunks, b""))


async def _sent(begun: _Begun, threads: CapacityLimiter) -> AsyncIterator[bytes]:
    chunk = begun.first
    try:
        while chunk:
            yield chunk
            chunk = b""
            chunk = await to_thread.run_sync(next, begun.chunks, b"", limiter=threads)
    finally:
        begun.download.close()


async def _uploaded(
    door: FileDoor,
    key: str,
    token: str,
    request: Request,
    idle_timeout: float,
    threads: CapacityLimiter,
) -> Response:
    content_type = request.headers.get("content-type")
    begin = partial(
        door.upload, key, token, content_type=content_type, length=_length(request)
    )
    writer = await to_thread.run_sync(begin, limiter=threads)
    batch = _Batch(writer, threads)
    try:
        await bodies.each_chunk(request, idle_timeout, batch.take)
        blob = await to_thread.run_sync(batch.commit, limiter=threads)
    except BaseException:
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(batch.abort, limiter=threads)
        raise
    return Response(headers={"ETag": f'"{blob.etag}"', "Cache-Control": "no-store"})


def _length(request: Request) -> int:
    if "content-length" not in request.headers:
        raise HTTPException(411, "Expected a Content-Length but received none.")
    return bodies.declared_length(request)


class _Batch:
    """Gathers what comes until it is worth a thread.

    Who is cut off may leave a thread behind that is still writing: `abort` waits for
    it, since a descriptor that is closed under a writer may be another file's soon.
    """

    def __init__(self, writer: Upload, threads: CapacityLimiter) -> None:
        self._writer = writer
        self._threads = threads
        self._turn = Lock()
        self._chunks: list[bytes] = []
        self._bytes = 0

    async def take(self, chunk: bytes) -> None:
        self._chunks.append(chunk)
        self._bytes += len(chunk)
        if self._bytes >= BATCH_BYTES:
            await to_thread.run_sync(self._write, limiter=self._threads)

    def commit(self) -> Blob:
        self._write()
        with self._turn:
            return self._writer.commit()

    def abort(self) -> None:
        with self._turn:
            self._writer.abort()

    def _write(self) -> None:
        chunks, self._chunks, self._bytes = self._chunks, [], 0
        with self._turn:
            for chunk in chunks:
                self._writer.write(chunk)
