"""Taking in an upload: streamed into the store, judged by its first bytes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from pixtools.domain.errors import (
    DatabaseUnavailable,
    EmptyFile,
    UploadMismatch,
    UploadTooLarge,
)
from pixtools.domain.job import Job, Source
from pixtools.domain.keys import source_key
from pixtools.jobs.header import Header, read_header
from pixtools.jobs.ports.blobs import Blob, BlobWriter
from pixtools.jobs.service import Service

HEAD_BYTES = 512 * 1024
"""How much of a source is held in memory at most, until its header is read."""


@dataclass(frozen=True, slots=True)
class Received:
    """A source that stands whole in the store, and what its header says."""

    blob: Blob
    header: Header


class Intake:
    """An upload on its way to becoming a job's source; leave it, and it is gone.

    Only `jobs.submit` keeps what was taken in. As a context manager an intake
    leaves nothing behind that was surely not submitted.

    It may be aborted while another thread is at it, whose request was cut off: that
    waits until the thread has written what it writes, or has submitted it.
    """

    def __init__(
        self, service: Service, tenant: str, key: str | None, job_id: str | None = None
    ) -> None:
        self._here_before = job_id is not None
        self.job_id = job_id or service.ids.new()
        self.tenant = tenant
        self.idempotency_key = key
        self._service = service
        self._head = bytearray()
        self._looked_at = 0
        self._bytes = 0
        self._header: Header | None = None
        self._received: Received | None = None
        self._over = False
        self._stored = False
        self._flying = True
        self._turn = threading.RLock()
        self._writer: BlobWriter = service.blobs.writer(source_key(self.job_id))

    @classmethod
    def begin(
        cls, service: Service, tenant: str, *, idempotency_key: str | None = None
    ) -> Intake:
        """Reserve a job id and begin.

        With a key, raises IdempotencyInFlight while another request holds it.
        """
        if idempotency_key:
            service.flights.take_off(tenant, idempotency_key)
        try:
            return cls(service, tenant, idempotency_key)
        except BaseException:
            if idempotency_key:
                service.flights.land(tenant, idempotency_key)
            raise

    @classmethod
    def of_job(cls, service: Service, job: Job) -> Intake:
        """Take in the source of a job that is here already."""
        return cls(service, job.tenant, None, job.id)

    def write(self, chunk: bytes) -> None:
        """Take bytes in; raises UploadTooLarge or a header's error once it is known."""
        with self._turn:
            self._bytes += len(chunk)
            if self._bytes > self._service.rules.limits.max_upload_bytes:
                self.abort()
                raise _too_large(self._service)
            if self._header is None and len(self._head) < HEAD_BYTES:
                self._look(chunk)
            self._writer.write(chunk)

    def finish(self) -> Received:
        """Make the source whole and visible in the store; its header is known then."""
        with self._turn:
            if self._over:
                raise ValueError("This upload was already submitted or aborted.")
            return self._received or self._finished()

    def keep(self) -> None:
        """What was taken in belongs to a job now."""
        with self._turn:
            self._over = True
            self._land()

    def abort(self) -> None:
        """Leave nothing behind; harmless twice, and after `keep`.

        The key is free again even if the store is too far away to drop anything.
        """
        with self._turn:
            try:
                if not self._over:
                    self._drop()
                self._over = True
            finally:
                self._land()

    def __enter__(self) -> Self:
        self._turn.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if isinstance(error, DatabaseUnavailable) and self._received:
                # Its job may have been committed with nobody to hear of it. A source
                # that belongs to none is dropped when it has lain still for a while.
                self.keep()
            self.abort()
        finally:
            self._turn.release()

    def _finished(self) -> Received:
        if not self._bytes:
            self.abort()
            raise EmptyFile
        try:
            self._stored = True  # perhaps, even if this raises
            blob = self._writer.commit()
            header = self._header or header_of(self._service, blob)
        except BaseException:
            self.abort()
            raise
        self._received = Received(blob, header)
        return self._received

    def _look(self, chunk: bytes) -> None:
        """Read the header whenever twice as many bytes have come as last time."""
        self._head += chunk[: HEAD_BYTES - len(self._head)]
        if len(self._head) < 2 * self._looked_at:
            return
        self._looked_at = len(self._head)
        rules = self._service.rules
        try:
            self._header = read_header(
                bytes(self._head), rules.limits, rules.capabilities, complete=False
            )
        except BaseException:
            self.abort()
            raise
        if self._header:
            self._head.clear()

    def _drop(self) -> None:
        self._writer.abort()
        if self._stored or not self._here_before:
            # Else another worker's file may stand there.
            self._service.blobs.delete(source_key(self.job_id))

    def _land(self) -> None:
        """Once: whoever holds the key then is another request."""
        if self.idempotency_key and self._flying:
            self._flying = False
            self._service.flights.land(self.tenant, self.idempotency_key)


def header_of(service: Service, blob: Blob) -> Header:
    """Read the header of a stored object; raises what `read_header` raises.

    Nearly every header stands in the first bytes, and who keeps objects in a bucket
    pays for all that is read.
    """
    check_size(service, blob)
    rules, head = service.rules, _first_bytes(service, blob)
    whole = len(head) >= blob.bytes
    found = read_header(head, rules.limits, rules.capabilities, complete=whole)
    if found:
        return found
    with service.scratch.directory() as directory:
        path = service.blobs.fetch(blob.key, directory, etag=blob.etag)
        with path.open("rb") as file:
            return read_header(file, rules.limits, rules.capabilities, complete=True)


def check_size(service: Service, blob: Blob) -> None:
    """Raise UploadTooLarge if an object is larger than any source may be."""
    if blob.bytes > service.rules.limits.max_upload_bytes:
        raise _too_large(service)


def check_bytes(announced: Source, received: int) -> None:
    """Raise UploadMismatch if another size was announced."""
    if announced.bytes is not None and announced.bytes != received:
        raise UploadMismatch(
            f"Expected the announced {announced.bytes} bytes but received {received}."
        )


def check_sha256(announced: Source, received: str) -> None:
    """Raise UploadMismatch if another hash was announced."""
    if announced.sha256 is not None and announced.sha256.lower() != received:
        raise UploadMismatch("The upload's SHA-256 is not the one that was announced.")


@contextmanager
def source_unless_refused(service: Service, job_id: str) -> Iterator[None]:
    """Delete a job's source again if the block that takes the job on raises.

    Not if the database went away: the job may have been committed.
    """
    try:
        yield
    except DatabaseUnavailable:
        raise
    except BaseException:
        service.blobs.delete(source_key(job_id))
        raise


def _first_bytes(service: Service, blob: Blob) -> bytes:
    return b"".join(service.blobs.read(blob.key, length=HEAD_BYTES, etag=blob.etag))


def _too_large(service: Service) -> UploadTooLarge:
    most = service.rules.limits.max_upload_bytes
    return UploadTooLarge(f"Expected a file of at most {most:,} bytes.")
