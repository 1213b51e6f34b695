"""A store that keeps nothing: an upload rests in scratch while it is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from pixtools.domain.errors import SourceMissing
from pixtools.jobs.flights import Flights
from pixtools.jobs.ports.blobs import Blob, Scratch
from pixtools.jobs.service import Service


def set_aside(service: Service) -> Service:
    """The same service for one upload that is to be looked at and not kept.

    Its place in scratch goes when the intake is aborted.
    """
    return replace(service, blobs=Aside(service.scratch), flights=Flights())


class Aside:
    """Blobs of one request, each in one file; all go with the first that is deleted."""

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self._open = ExitStack()
        self._files: dict[str, Path] = {}

    def writer(self, key: str, content_type: str | None = None) -> AsideWriter:
        """Begin to write a file."""
        del content_type
        directory = self._open.enter_context(self._scratch.directory())
        self._files[key] = directory / "photo"
        return AsideWriter(key, self._files[key])

    def read(
        self,
        key: str,
        *,
        start: int = 0,
        length: int | None = None,
        etag: str | None = None,
    ) -> Iterator[bytes]:
        """The file's bytes, at once; nobody changes it."""
        with self.fetch(key, Path(), etag=etag).open("rb") as file:
            file.seek(start)
            yield file.read(-1 if length is None else length)

    def fetch(self, key: str, directory: Path, *, etag: str | None = None) -> Path:
        """The file in its place."""
        del directory, etag
        if key not in self._files:
            raise SourceMissing(f"There is no object {key}.")
        return self._files[key]

    def stat(self, key: str) -> Blob | None:
        """What was written under a key, or None."""
        path = self._files.get(key)
        return Blob(key=key, bytes=path.stat().st_size, etag="") if path else None

    def copy(self, key: str, to: str) -> Blob:
        """Nothing is ever copied from here."""
        raise SourceMissing(f"There is no object {key} to make {to} from.")

    def delete(self, prefix: str) -> int:
        """Give the place back; harmless twice."""
        gone = [key for key in self._files if key.startswith(prefix)]
        if gone:
            self._files.clear()
            self._open.close()
        return len(gone)


class AsideWriter:
    """Bytes on their way into a file."""

    def __init__(self, key: str, path: Path) -> None:
        self._key = key
        self._file = path.open("wb")
        self._bytes = 0

    def write(self, chunk: bytes) -> None:
        """Append."""
        self._file.write(chunk)
        self._bytes += len(chunk)

    def take(self, file: Path, beat: Callable[[], None]) -> None:
        """Copy a file."""
        self.write(file.read_bytes())
        beat()

    def commit(self, *, more: bool = False) -> Blob:
        """End the file, which need not last."""
        del more
        self._file.close()
        return Blob(key=self._key, bytes=self._bytes, etag="")

    def abort(self) -> None:
        """Let go of the file; it goes with its directory."""
        self._file.close()
