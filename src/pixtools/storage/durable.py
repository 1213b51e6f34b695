"""Directories that are held open: what is known of one stays true of it alone."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

from pixtools.storage.tree import open_below, open_root

MOST_KNOWN: Final = 16
"""Directories that are held open below a root: those of jobs at work, and above."""


class Held:
    """An open directory. While it is open no other one takes its inode's number.

    It is `lasting` once the name that it was found under survives a power cut.
    """

    __slots__ = ("fd", "file", "lasting")

    def __init__(self, fd: int) -> None:
        """Take over a descriptor."""
        self.fd = fd
        self.file = os.fstat(fd)
        self.lasting = False

    def is_at(
        self, path: str, *, below: int | None = None, through_link: bool = False
    ) -> bool:
        """Whether this very directory stands there."""
        try:
            found = os.stat(path, dir_fd=below, follow_symlinks=through_link)
        except OSError:
            return False
        return os.path.samestat(found, self.file)

    def __del__(self) -> None:
        """Let go."""
        os.close(self.fd)


class HeldFolders:
    """Directories below a root. Those used of late stay open, and are looked at only.

    Whoever uses a descriptor keeps its `Held` meanwhile: another thread may put a new
    one in its place, and the last one to let go closes it.
    """

    def __init__(self, root: Path) -> None:
        """Nothing is opened before it is asked for."""
        self._root = root
        self._place = str(root)
        self._top: Held | None = None
        self._known: OrderedDict[tuple[str, ...], Held] = OrderedDict()
        self._lock = threading.Lock()

    def lead_to(self, names: tuple[str, ...]) -> Sequence[Held]:
        """The directories from the root to this one, made where they are missing.

        The root may be a link. Below it each one is the one that bears its name just
        now, and no link. Raises NotADirectoryError where a name is of another kind.
        """
        chain = [self._opened_root()]
        for depth, name in enumerate(names, 1):
            chain.append(self._below(chain[-1], name, names[:depth]))
        return chain

    def _opened_root(self) -> Held:
        held = self._top
        if held is None or not held.is_at(self._place, through_link=True):
            held = self._top = Held(open_root(self._root, create=True))
        return held

    def _below(self, above: Held, name: str, names: tuple[str, ...]) -> Held:
        held = self._recall(names)
        if held is None or not held.is_at(name, below=above.fd):
            held = Held(open_below(above.fd, name, create=True))
            self._remember(names, held)
        return held

    def _recall(self, names: tuple[str, ...]) -> Held | None:
        with self._lock:
            held = self._known.get(names)
            if held:
                self._known.move_to_end(names)
            return held

    def _remember(self, names: tuple[str, ...], held: Held) -> None:
        with self._lock:
            self._known[names] = held
            self._known.move_to_end(names)
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)


def sync(chain: Sequence[Held]) -> None:
    """Make the names in the last of these directories survive a power cut.

    And those that lead there: another process may have made a directory and not synced
    its name. One that we have not synced ourselves, and held since, counts as such.
    """
    os.fsync(chain[-1].fd)
    for above, held in reversed([*pairwise(chain)]):
        if not held.lasting:
            os.fsync(above.fd)
            held.lasting = True


def prune(chain: Sequence[Held], names: Sequence[str]) -> None:
    """Remove those of these directories that are empty, from the last one up."""
    for above, name in zip(reversed(chain[:-1]), reversed(names), strict=True):
        try:
            os.rmdir(name, dir_fd=above.fd)
        except FileNotFoundError:  # a delete was faster
            continue
        except OSError:  # another writer has put something there
            return
