"""A file that a child has made is kept as it is; one that may still change is copied."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import mmap
import os
import shutil
import stat
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from pixtools.storage import incoming, taking
from pixtools.storage.local import LocalBlobs
from pixtools.testing.port_suites.blobs import KEY, get

DATA = bytes(range(256)) * 300


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    return LocalBlobs(tmp_path / "objects")


@pytest.fixture
def made(tmp_path: Path) -> Path:
    file = tmp_path / "made"
    file.write_bytes(DATA)
    return file


def stored(blobs: LocalBlobs, file: Path) -> os.stat_result:
    """Take the file; what the operating system says of the object."""
    writer = blobs.writer(KEY)
    writer.take(file, lambda: None)
    writer.commit()
    opened = blobs.open(KEY)
    assert opened is not None
    with opened:
        return opened.file


def is_copy(blobs: LocalBlobs, file: Path) -> bool:
    found = stored(blobs, file)
    assert get(blobs, KEY) == DATA
    return found.st_ino != file.stat().st_ino


def test_a_file_is_kept_not_copied(blobs: LocalBlobs, made: Path) -> None:
    """And from then on it is read-only."""
    found = stored(blobs, made)
    assert found.st_ino == made.stat().st_ino
    assert stat.S_IMODE(found.st_mode) == 0o400
    assert get(blobs, KEY) == DATA


def test_an_object_is_as_old_as_its_taking(blobs: LocalBlobs, made: Path) -> None:
    """Whatever time its maker gave the file: a sweep goes by it, and a client."""
    before = time.time() - 1
    os.utime(made, (0, 0))
    assert stored(blobs, made).st_mtime > before


def test_nothing_is_left_of_the_way(
    blobs: LocalBlobs, made: Path, tmp_path: Path
) -> None:
    """Neither of a file that was kept, nor of one that was called off."""
    stored(blobs, made)
    writer = blobs.writer(KEY)
    made.unlink()
    made.write_bytes(DATA)
    writer.take(made, lambda: None)
    writer.abort()
    assert not [*(tmp_path / "objects" / ".incoming").iterdir()]


def test_whoever_still_writes_changes_a_file_of_their_own(
    blobs: LocalBlobs, made: Path
) -> None:
    """A child that hangs on to what it has made changes no object."""
    with made.open("r+b") as held:
        assert is_copy(blobs, made)
        held.write(b"late")
    assert get(blobs, KEY) == DATA


def test_whoever_has_it_mapped_changes_a_file_of_their_own(
    blobs: LocalBlobs, made: Path
) -> None:
    """A mapping writes, too, when its descriptor was closed long ago."""
    with made.open("r+b") as held:
        mapped = mmap.mmap(held.fileno(), 0)
    assert is_copy(blobs, made)
    mapped[:4] = b"late"
    mapped.flush()
    mapped.close()
    assert get(blobs, KEY) == DATA


def test_what_is_told_is_what_is_stored(
    blobs: LocalBlobs, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though a child puts another file in its place in the very last moment."""
    look = taking.open_if_final

    def replaced_then(file: Path) -> int | None:
        fd = look(file)
        other = file.with_name("other")
        other.write_bytes(b"other")
        other.replace(file)
        return fd

    monkeypatch.setattr(incoming, "open_if_final", replaced_then)
    writer = blobs.writer(KEY)
    writer.take(made, lambda: None)
    told = writer.commit()
    assert told.sha256 == hashlib.sha256(get(blobs, KEY)).hexdigest()
    assert blobs.stat(KEY) == told


def test_a_file_with_another_name_is_copied(blobs: LocalBlobs, made: Path) -> None:
    """Under that name it could be opened again."""
    made.with_name("another").hardlink_to(made)
    assert is_copy(blobs, made)


def test_a_file_of_another_user_is_copied(
    blobs: LocalBlobs, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its owner may make it writable again; root is refused neither mode nor lease."""
    monkeypatch.setattr(os, "geteuid", lambda: made.stat().st_uid + 1)
    assert is_copy(blobs, made)


def test_a_file_that_another_has_locked_is_not_swept_on_its_way(
    blobs: LocalBlobs, made: Path, tmp_path: Path
) -> None:
    """When that lock ends nobody takes it for a file of a writer that died."""
    writer = blobs.writer(KEY)
    with made.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_SH)
        writer.take(made, lambda: None)
    assert LocalBlobs(tmp_path / "objects").sweep(timedelta(0)) == 0
    writer.commit()
    assert get(blobs, KEY) == DATA


def test_where_files_grow_stays_open_while_one_is_linked_there(
    blobs: LocalBlobs, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though it was cleared away, and another writer has opened the new one by then."""
    link, area = os.link, made.with_name("objects") / ".incoming"

    def cleared_away_first(*names: str, dst_dir_fd: int) -> None:
        shutil.rmtree(area)
        other = blobs.writer(f"{KEY}-other")
        other.write(b"x")
        assert stat.S_ISDIR(os.fstat(dst_dir_fd).st_mode)
        link(*names, dst_dir_fd=dst_dir_fd)

    monkeypatch.setattr(os, "link", cleared_away_first)
    assert is_copy(blobs, made)


def test_on_another_file_system_it_is_copied(
    blobs: LocalBlobs, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no second name for it there."""

    def link(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "link", link)
    assert is_copy(blobs, made)


def test_where_nobody_can_say_who_writes_it_is_copied(
    blobs: LocalBlobs, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some file systems know no leases."""
    ask = fcntl.fcntl

    def without_leases(fd: int, command: int, argument: int = 0) -> int:
        if command == fcntl.F_SETLEASE:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return ask(fd, command, argument)

    monkeypatch.setattr(fcntl, "fcntl", without_leases)
    assert is_copy(blobs, made)


OPENED_MEANWHILE = """
import fcntl, os, sys, pathlib
from pixtools.storage import taking

ask, path = fcntl.fcntl, pathlib.Path(sys.argv[1])

def opened_meanwhile(fd, command, argument=0):
    answer = ask(fd, command, argument)
    if command == fcntl.F_SETLEASE and argument == fcntl.F_RDLCK:
        os.chmod(path, 0o600)
        try:
            os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except BlockingIOError:
            print("had to wait")
    return answer

fcntl.fcntl = opened_meanwhile
print(taking.open_if_final(path) is not None)
"""


def test_nobody_ends_us_by_opening_it_meanwhile(made: Path) -> None:
    """The kernel tells who holds a lease by a signal, whose usual effect is death."""
    ran = subprocess.run(
        [sys.executable, "-c", OPENED_MEANWHILE, made],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stdout.split("\n")) == (0, ["had to wait", "True", ""])
