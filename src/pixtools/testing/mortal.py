"""Ports that die with their process: `kill -9` at any call, without a process.

Wrap the real twins with one `Fate`. At its last step the process dies: that call and
every later one raises Killed, so that no `finally` or `except` tidies anything up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pixtools.domain.limits import Limits
from pixtools.domain.plan import RenderPlan
from pixtools.domain.report import Report
from pixtools.jobs.ports.blobs import Blob, Blobs, BlobWriter
from pixtools.jobs.ports.facts import Database, Transaction
from pixtools.jobs.ports.work import Checkpoint, Renderer


class Killed(BaseException):
    """The process is dead; nothing it does has an effect any more."""


class Fate:
    """How many calls a process has left."""

    def __init__(self, steps: int) -> None:
        self._left = steps

    @property
    def dead(self) -> bool:
        """Whether the process has died."""
        return self._left <= 0

    def step(self) -> None:
        """One more call; raises Killed at the last one and ever after."""
        self._left -= 1
        if self.dead:
            raise Killed

    def die(self) -> None:
        """Let this be the last call."""
        self._left = 1
        self.step()


class MortalDatabase:
    """Dies before a transaction, before its commit, or just after it."""

    def __init__(self, database: Database, fate: Fate) -> None:
        self._database = database
        self._fate = fate

    @property
    def one_writer(self) -> bool:
        """As the database says."""
        return self._database.one_writer

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction that may not live to its commit."""
        self._fate.step()
        with self._database.write() as tx:
            yield tx
            self._fate.step()
        self._fate.step()

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A view of the facts."""
        self._fate.step()
        with self._database.read() as tx:
            yield tx

    def check(self) -> None:
        """As the database does."""
        self._database.check()

    def close(self) -> None:
        """As the database does."""
        self._database.close()


class DoomedDatabase(MortalDatabase):
    """Dies in its `nth` write: with all said but the commit, or just after that."""

    def __init__(
        self, database: Database, fate: Fate, nth: int, *, committed: bool
    ) -> None:
        super().__init__(database, fate)
        self._left = nth
        self._committed = committed

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction that may not live to its commit, or not to tell of it."""
        self._left -= 1
        with super().write() as tx:
            yield tx
            if not self._left and not self._committed:
                self._fate.die()
        if not self._left:
            self._fate.die()


class MortalBlobs:
    """Dies before or just after whatever changes the store."""

    def __init__(self, blobs: Blobs, fate: Fate) -> None:
        self._blobs = blobs
        self._fate = fate

    def writer(self, key: str, content_type: str | None = None) -> BlobWriter:
        """A writer that may not live to its commit."""
        self._fate.step()
        return MortalWriter(self._blobs.writer(key, content_type), self._fate)

    def read(
        self,
        key: str,
        *,
        start: int = 0,
        length: int | None = None,
        etag: str | None = None,
    ) -> Iterator[bytes]:
        """The object's bytes."""
        self._fate.step()
        return self._blobs.read(key, start=start, length=length, etag=etag)

    def fetch(self, key: str, directory: Path, *, etag: str | None = None) -> Path:
        """A local path with the bytes."""
        self._fate.step()
        return self._blobs.fetch(key, directory, etag=etag)

    def stat(self, key: str) -> Blob | None:
        """What is stored."""
        self._fate.step()
        return self._blobs.stat(key)

    def copy(self, key: str, to: str) -> Blob:
        """Copy an object, and perhaps never know."""
        self._fate.step()
        blob = self._blobs.copy(key, to)
        self._fate.step()
        return blob

    def delete(self, prefix: str) -> int:
        """Delete objects, and perhaps never know."""
        self._fate.step()
        gone = self._blobs.delete(prefix)
        self._fate.step()
        return gone


class MortalWriter:
    """Bytes that may never become visible."""

    def __init__(self, writer: BlobWriter, fate: Fate) -> None:
        self._writer = writer
        self._fate = fate

    def write(self, chunk: bytes) -> None:
        """Append."""
        self._fate.step()
        self._writer.write(chunk)

    def take(self, file: Path, beat: Callable[[], None]) -> None:
        """Append a file."""
        self._fate.step()
        self._writer.take(file, beat)

    def commit(self, *, more: bool = False) -> Blob:
        """Make the object visible, and perhaps never know."""
        self._fate.step()
        blob = self._writer.commit(more=more)
        self._fate.step()
        return blob

    def abort(self) -> None:
        """Drop what was written: a dead process does not even that."""
        if not self._fate.dead:
            self._writer.abort()


class MortalRenderer:
    """Dies before, within or after a render."""

    def __init__(self, renderer: Renderer, fate: Fate) -> None:
        self._renderer = renderer
        self._fate = fate

    def render(
        self,
        source: Path,
        plan: RenderPlan,
        scratch: Path,
        *,
        assets: Mapping[str, Path],
        limits: Limits,
        checkpoint: Checkpoint,
        timeout: float,
        heavy: bool = False,
    ) -> Report:
        """Make the plan's files."""

        def watched(fraction: float) -> None:
            self._fate.step()
            checkpoint(fraction)

        report = self._renderer.render(
            source,
            plan,
            scratch,
            assets=assets,
            limits=limits,
            checkpoint=watched,
            timeout=timeout,
            heavy=heavy,
        )
        self._fate.step()
        return report
