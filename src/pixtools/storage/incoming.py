"""Where files grow before anyone may see them, and how they become visible.

The area is inside the objects' root, so that publishing is a rename on one file
system. Whoever writes holds a lock on the file: one without a lock belongs to a
process that died.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from pixtools.domain.errors import InvalidRequest, StorageUnavailable
from pixtools.domain.explain import shown
from pixtools.storage.durable import Held, HeldFolders, prune, sync
from pixtools.storage.facts import (
    Facts,
    drop_facts,
    side_name,
    side_now,
    write_facts,
)
from pixtools.storage.taking import open_if_final
from pixtools.storage.tree import Folder, open_folder

AREA = ".incoming"
"""No key begins with a dot."""
PROBE = "probe-"
"""What the names of files begin with that are made to see whether that can be done."""

_ATTEMPTS = 1000
"""Where somebody deletes without a pause, and the disk is busy, hundreds are lost."""


class Incoming:
    """The incoming area of one tree of objects."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._path = str(root / AREA)
        self._held: Held | None = None
        self._folders = HeldFolders(root)

    def create(self, begins: str = "") -> tuple[str, int]:
        """An empty, locked, private file: its name here and its descriptor."""
        name, area = f"{begins}{secrets.token_hex(16)}", self._area()
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
        fd = os.open(name, flags, 0o600, dir_fd=area.fd)
        _lock(fd)
        return name, fd

    def adopt(self, file: Path) -> tuple[str, int] | None:
        """A second name, here, for a file that nobody writes to any more; locked.

        None if it can't be had: somebody may still write to the file or has locked it,
        or it is on another file system. Raises OSError if the file can't be opened.
        """
        fd = open_if_final(file)
        if fd is None:
            return None
        name = self._second_name(fd)
        if name is None:
            os.close(fd)
            return None
        return name, fd

    def link(self, folder: Folder, name: str, file: os.stat_result) -> str:
        """A second name, here, for this very file of the tree; raises OSError."""
        linked = secrets.token_hex(16)
        area = self._area()
        os.link(
            name,
            linked,
            src_dir_fd=folder.fd,
            dst_dir_fd=area.fd,
            follow_symlinks=False,
        )
        if os.path.samestat(os.stat(linked, dir_fd=area.fd), file):
            return linked
        os.unlink(linked, dir_fd=area.fd)
        raise FileNotFoundError(errno.ENOENT, "replaced meanwhile", name)

    def discard(self, name: str) -> None:
        """Remove a file of the area; harmless if it is gone."""
        area = self._area()
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=area.fd)

    def publish(
        self,
        name: str,
        fd: int,
        to: tuple[str, ...],
        facts: Facts,
        *,
        more: bool = False,
    ) -> os.stat_result:
        """Move a complete file to its place in the tree, replacing what is there.

        Bytes are durable before the name is visible, and the name is durable
        before this returns, or, with `more`, before the next one in its folder is. A
        folder that a delete removes meanwhile is made again.

        Raises:
            InvalidRequest: the key goes through, or ends at, what holds other objects.
        """
        for _ in range(_ATTEMPTS):
            try:
                return self._move(name, fd, to, facts, more=more)
            except FileNotFoundError:
                continue
            except (NotADirectoryError, IsADirectoryError) as fault:
                raise _in_the_way("/".join(to)) from fault
        raise StorageUnavailable(
            "The object store could not keep a file: its folder, or the file on its "
            "way there, was deleted again and again."
        )

    def sweep(self, older_than: timedelta) -> int:
        """Remove files that nobody writes any more; how many.

        `older_than` protects the moment between making and locking a file, and
        writers on file systems without locks.
        """
        before = time.time() - older_than.total_seconds()
        with open_folder(self._root, (AREA,), create=True) as area:
            return sum(_swept(area, name, before) for name in area.entries())

    def _area(self) -> Held:
        """The area, opened once for as long as it stays where it is.

        Whoever uses its descriptor keeps the answer meanwhile, as with `HeldFolders`.
        """
        held = self._held
        if held is None or not held.is_at(self._path):
            held = self._held = self._folders.lead_to((AREA,))[-1]
        return held

    def _second_name(self, fd: int) -> str | None:
        if not _lock(fd):  # `sweep` would find it without any lock as that one ends
            return None
        name = secrets.token_hex(16)
        try:
            area = self._area()
            # By the descriptor: the path may lead to another file by now.
            os.link(f"/proc/self/fd/{fd}", name, dst_dir_fd=area.fd)
        except OSError:
            return None
        return name

    def _move(
        self, name: str, fd: int, to: tuple[str, ...], facts: Facts, *, more: bool
    ) -> os.stat_result:
        *names, leaf = to
        chain = self._folders.lead_to(to[:-1])
        folder = chain[-1]
        os.fsync(fd)  # after the folders were made: one journal commit for both
        file = os.fstat(fd)
        side, replaced = side_name(leaf, file), side_now(folder, leaf)
        try:
            write_facts(folder, side, facts)
            area = self._area()
            os.rename(name, leaf, src_dir_fd=area.fd, dst_dir_fd=folder.fd)
        except OSError:
            drop_facts(folder, side)
            prune(chain, names)
            raise
        if not more:
            sync(chain)
        if replaced not in {None, side}:
            drop_facts(folder, str(replaced))
        return file


def _in_the_way(key: str) -> InvalidRequest:
    return InvalidRequest(
        f"Expected a key for one object but {shown(key)} runs through another "
        "object's key, or holds other objects."
    )


def _lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks: age alone decides
        return True
    return True


def _swept(area: Folder, name: str, before: float) -> int:
    try:
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=area.fd)
    except OSError:
        return 0
    try:
        if os.fstat(fd).st_ctime > before or not _lock(fd):
            return 0
        os.unlink(name, dir_fd=area.fd)
    except FileNotFoundError:
        return 0
    finally:
        os.close(fd)
    return 1
