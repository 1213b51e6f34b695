"""Directories for work in progress: private, and gone afterwards.

Whoever works in one holds a lock on it. A directory without a lock belongs to a
process that died, whatever its age, and `sweep` removes it.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pixtools.domain.errors import StorageUnavailable
from pixtools.storage.faults import SCRATCH, disk_faults

_PREFIX = "work-"
_ATTEMPTS = 10


class ScratchDirectories:
    """The Scratch port below one directory, shared by any number of processes."""

    def __init__(self, root: Path) -> None:
        """Nothing is made before the first directory is asked for."""
        self._root = root.absolute()

    @contextmanager
    def directory(self) -> Iterator[Path]:
        """A fresh, empty, private directory; raises StorageUnavailable."""
        with disk_faults("making a directory", SCRATCH):
            path, lock = self._locked()
        try:
            yield path
        finally:
            _remove(path, lock)  # what stays, `sweep` finds
            os.close(lock)

    def sweep(self) -> int:
        """Remove the directories of processes that died; how many."""
        if not self._root.is_dir():
            return 0
        with disk_faults("being swept", SCRATCH):
            return sum(_swept(path) for path in self._root.glob(f"{_PREFIX}*"))

    def _locked(self) -> tuple[Path, int]:
        for _ in range(_ATTEMPTS):
            path = self._made()
            lock = _lock(path, wait=True)
            if lock is not None:
                return path, lock
        raise StorageUnavailable("Scratch directories vanish as they are made.")

    def _made(self) -> Path:
        path = self._root / f"{_PREFIX}{secrets.token_hex(8)}"
        try:
            path.mkdir(mode=0o700)
        except FileNotFoundError:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.mkdir(mode=0o700)
        return path


def _lock(path: Path, *, wait: bool) -> int | None:
    """Hold a directory; None if it is gone, or (unless `wait`) held by another."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if _held(fd, wait=wait) and _is_still(path, fd):
        return fd
    os.close(fd)
    return None


def _held(fd: int, *, wait: bool) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # held by another, or a file system without locks: never sweep
        return wait
    return True


def _is_still(path: Path, fd: int) -> bool:
    """Whether nobody swept the directory between our mkdir and our lock."""
    try:
        return os.path.samestat(os.fstat(fd), path.lstat())
    except FileNotFoundError:
        return False


def _remove(path: Path, fd: int) -> None:
    """Remove an open directory, and what is in it, as far as that can be done.

    Most hold nothing but files. Their names are removed from the open directory, so
    that a link is removed itself wherever it leads.
    """
    try:
        for name in os.listdir(fd):
            os.unlink(name, dir_fd=fd)
        path.rmdir()
    except OSError:
        shutil.rmtree(path, ignore_errors=True)


def _swept(path: Path) -> bool:
    lock = _lock(path, wait=False)
    if lock is None:
        return False
    shutil.rmtree(path, ignore_errors=True)
    os.close(lock)
    return True
