"""A disk that takes no more: a sentence, and nothing half-written."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pixtools.domain.errors import StorageUnavailable
from pixtools.storage.local import LocalBlobs
from pixtools.storage.writer import LocalWriter
from pixtools.testing.port_suites.blobs import KEY, get, put


@contextmanager
def files_of_at_most(limit: int) -> Iterator[None]:
    """This process may write no longer file, until the end of the block."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)


ROOM = 1024 * 1024


@pytest.fixture
def small_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file system of one mebibyte; where none may be mounted, one that says so."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(place)]
    if not shutil.which("mount") or _fails(command):
        monkeypatch.setattr(os, "write", GrudgingWrite(place))
        yield place
        return
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def _fails(command: list[str]) -> bool:
    done = subprocess.run(command, check=False, capture_output=True)
    return done.returncode != 0


class GrudgingWrite:
    """`os.write` on a disk that has room for so many bytes below a directory."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._write = os.write

    def __call__(self, fd: int, data: bytes) -> int:
        files = (path for path in self._place.rglob("*") if path.is_file())
        used = sum(path.stat().st_size for path in files)
        if used + len(data) > ROOM:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self._write(fd, data)


def fill(place: Path) -> None:
    """Write until the disk takes no more."""
    fd = os.open(place / "filler", os.O_WRONLY | os.O_CREAT)
    try:
        with pytest.raises(OSError, match="No space"):
            write_all(fd, b"x" * 4096, times=ROOM // 4096 + 1)
    finally:
        os.close(fd)


def write_all(fd: int, page: bytes, times: int) -> None:
    for _ in range(times):
        os.write(fd, page)


def write_much(writer: LocalWriter) -> None:
    for _ in range(100):
        writer.write(b"x" * 100_000)


def test_a_file_that_can_not_grow_is_dropped(tmp_path: Path) -> None:
    """The writer says so at the first byte too many, and is over."""
    blobs = LocalBlobs(tmp_path)
    older = put(blobs, KEY, b"older")
    writer = blobs.writer(KEY)
    writer.write(b"x" * 100_000)
    with (
        files_of_at_most(150_000),
        pytest.raises(StorageUnavailable, match="this large"),
    ):
        writer.write(b"x" * 100_000)
    with pytest.raises(ValueError, match="aborted"):
        writer.commit()
    assert blobs.stat(KEY) == older
    assert list((tmp_path / ".incoming").iterdir()) == []


def test_a_full_disk_keeps_what_it_has(small_disk: Path) -> None:
    """Nothing half-written stays, and room that is freed can be used at once."""
    blobs = LocalBlobs(small_disk)
    put(blobs, "raw/kept/source", b"kept" * 50_000)
    writer = blobs.writer(KEY)
    with pytest.raises(StorageUnavailable, match="disk is full"):
        write_much(writer)
    assert blobs.stat(KEY) is None
    assert get(blobs, "raw/kept/source") == b"kept" * 50_000
    assert put(blobs, KEY, b"x" * 500_000).bytes == 500_000


def test_a_full_disk_is_noticed_by_the_health_check(small_disk: Path) -> None:
    """Before the first upload fails."""
    blobs = LocalBlobs(small_disk)
    blobs.check()
    fill(small_disk)
    with pytest.raises(StorageUnavailable, match="disk is full"):
        blobs.check()
