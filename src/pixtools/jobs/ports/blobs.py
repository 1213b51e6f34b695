"""Bytes at rest: objects, links to them, and scratch space.

The verbs own their ports; adapters obey them. Every port has at most six methods,
an in-memory twin in `pixtools.testing` and one suite that each adapter passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """What a store knows of an object. `etag` changes whenever the bytes do."""

    key: str
    bytes: int
    etag: str
    content_type: str | None = None
    sha256: str | None = None


class BlobWriter(Protocol):
    """Bytes on their way into the store: invisible until `commit`."""

    def write(self, chunk: bytes) -> None:
        """Append."""
        ...

    def take(self, file: Path, beat: Callable[[], None]) -> None:
        """Have a whole file's bytes, and no others, as the object's.

        A store on the same disk may keep the file itself, and makes it read-only.
        `beat` is called after each piece; what it raises ends the taking. Raises
        StorageUnavailable, too, if there is no plain file: a link is not followed.
        """
        ...

    def commit(self, *, more: bool = False) -> Blob:
        """Make the object visible, whole, with its byte count and SHA-256.

        It survives a power cut from then on; with `more` only once another object
        beside it, whose key differs in its last part, was committed without.
        """
        ...

    def abort(self) -> None:
        """Drop what was written. Harmless after `commit`, and twice."""
        ...


class Blobs(Protocol):
    """Where bytes rest. All raise StorageUnavailable when the store is away."""

    def writer(self, key: str, content_type: str | None = None) -> BlobWriter:
        """Begin to write an object; replaces an older one on commit."""
        ...

    def read(
        self,
        key: str,
        *,
        start: int = 0,
        length: int | None = None,
        etag: str | None = None,
    ) -> Iterator[bytes]:
        """The object's bytes in chunks.

        Raises SourceMissing, and UploadMismatch if `etag` no longer fits.
        """
        ...

    def fetch(self, key: str, directory: Path, *, etag: str | None = None) -> Path:
        """A local path with the bytes, in `directory` or in place; read only.

        Raises SourceMissing, and UploadMismatch if `etag` no longer fits.
        """
        ...

    def stat(self, key: str) -> Blob | None:
        """What is stored under a key, or None."""
        ...

    def copy(self, key: str, to: str) -> Blob:
        """Copy an object inside the store; raises SourceMissing."""
        ...

    def delete(self, prefix: str) -> int:
        """Delete all objects whose key starts with `prefix`; how many."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedUpload:
    """A PUT that a client may make without us: exactly these headers."""

    url: str
    method: str = "PUT"
    headers: Mapping[str, str] = field(default_factory=dict)
    expires_at: datetime


class Links(Protocol):
    """Addresses that carry their own permission and expire."""

    def download(
        self, key: str, filename: str, content_type: str
    ) -> tuple[str, datetime]:
        """A URL that serves an object under a download name, and until when."""
        ...

    def upload(
        self,
        key: str,
        *,
        content_type: str | None,
        bytes: int | None,
        sha256: str | None,
    ) -> SignedUpload:
        """Permission to PUT one object; announced size and hash are enforced."""
        ...


class Scratch(Protocol):
    """Directories for work in progress, removed afterwards whatever happens."""

    def directory(self) -> AbstractContextManager[Path]:
        """A fresh, empty, private directory."""
        ...
