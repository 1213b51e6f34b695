"""A directory tree walked by open directories, never through a symbolic link.

Every step is an `openat` with O_NOFOLLOW below a directory that is already open, so
nothing that is renamed or linked meanwhile can lead out of the root. A link, a pipe
or a device is as if it were not there.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
_OTHER_KINDS = {errno.ELOOP, errno.ENOTDIR, errno.ENXIO, errno.ENODEV}


class Opened(Protocol):
    """A directory that is held open, by whomever."""

    @property
    def fd(self) -> int:
        """For the `dir_fd` arguments of `os`."""
        ...


class Folder:
    """An open directory and the open directories that lead to it."""

    def __init__(self, root: int) -> None:
        self._chain = [root]
        self._names: list[str] = []

    @property
    def fd(self) -> int:
        """The open directory, for the `dir_fd` arguments of `os`."""
        return self._chain[-1]

    def enter(self, name: str, *, create: bool = False) -> None:
        """Step down; raises FileNotFoundError, NotADirectoryError for other kinds."""
        self._chain.append(open_below(self.fd, name, create=create))
        self._names.append(name)

    def leave(self) -> None:
        """Step up."""
        os.close(self._chain.pop())
        self._names.pop()

    def entries(self) -> list[str]:
        """The names in this directory."""
        return os.listdir(self.fd)  # noqa: PTH208 - pathlib lists no descriptors

    def sync(self) -> None:
        """Make the names that lead here, and those in here, survive a power cut.

        All of them: another process may have made a directory and not synced it.
        """
        for fd in reversed(self._chain):
            os.fsync(fd)

    def prune(self) -> None:
        """Step up out of directories that are empty, and remove them."""
        while self._names:
            name = self._names[-1]
            self.leave()
            try:
                os.rmdir(name, dir_fd=self.fd)
            except FileNotFoundError:  # another delete was faster
                continue
            except OSError:  # a writer has put something there
                return

    def close(self) -> None:
        while self._chain:
            os.close(self._chain.pop())


@contextmanager
def open_folder(
    root: Path, names: Sequence[str], *, create: bool = False
) -> Iterator[Folder]:
    """A directory below `root`, which itself may be a link.

    Raises FileNotFoundError, and NotADirectoryError where a name is of another kind.
    """
    folder = Folder(open_root(root, create=create))
    try:
        for name in names:
            folder.enter(name, create=create)
        yield folder
    finally:
        folder.close()


def open_root(root: Path, *, create: bool = False) -> int:
    """Open the directory where a tree begins, which may be behind a link."""
    try:
        return os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        if not create:
            raise
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(root, os.O_RDONLY | os.O_DIRECTORY)


def open_below(above: int, name: str, *, create: bool = False) -> int:
    """Open a directory in an open one; made if it is missing, which it seldom is.

    Raises FileNotFoundError, and NotADirectoryError if it is of another kind.
    """
    try:
        return _opened(above, name)
    except FileNotFoundError:
        if not create:
            raise
    with suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=above)
    return _opened(above, name)


def open_file(folder: Opened, name: str) -> int:
    """Open a regular file for reading; raises FileNotFoundError."""
    try:
        fd = os.open(name, _FILE, dir_fd=folder.fd)
    except OSError as fault:
        raise _named(fault, FileNotFoundError) from None
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
    return fd


def remove_all(folder: Folder) -> int:
    """Remove what a directory holds, at any depth; how many visible files that was.

    What a writer adds meanwhile may stay, and keeps its directory.
    """
    removed = 0
    for name in folder.entries():
        removed += remove(folder, name)
    return removed


def remove(folder: Folder, name: str) -> int:
    """Remove a file, or a directory with all that is in it; links, not targets."""
    try:
        folder.enter(name)
    except (FileNotFoundError, NotADirectoryError):
        return _unlink(folder, name)
    removed = remove_all(folder)
    if removed:
        os.fsync(folder.fd)
    folder.leave()
    with suppress(OSError):
        os.rmdir(name, dir_fd=folder.fd)
    return removed


def _opened(above: int, name: str) -> int:
    try:
        return os.open(name, _DIRECTORY, dir_fd=above)
    except OSError as fault:
        raise _named(fault, NotADirectoryError) from None


def _unlink(folder: Folder, name: str) -> int:
    try:
        os.unlink(name, dir_fd=folder.fd)
    except FileNotFoundError:
        return 0
    return 0 if name.startswith(".") else 1


def _named(fault: OSError, kind: type[OSError]) -> OSError:
    """The fault itself, or as `kind` if a name is not of the kind asked for."""
    if fault.errno not in _OTHER_KINDS:
        return fault
    number = errno.ENOENT if kind is FileNotFoundError else errno.ENOTDIR
    return kind(number, os.strerror(number), fault.filename)
