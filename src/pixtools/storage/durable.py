"""Directories that are held open: what is known of one stays true of it alone."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

MOST_KNOWN: Final = 16
"""Directories whose names are known to be durable: those of jobs at work, and above."""


class Held:
    """An open directory. While it is open no other one takes its inode's number."""

    __slots__ = ("fd", "file")

    def __init__(self, fd: int) -> None:
        """Keep a descriptor of our own of what this one leads to."""
        self.fd = os.dup(fd)
        self.file = os.fstat(self.fd)

    def is_at(self, path: str) -> bool:
        """Whether this very directory stands there."""
        try:
            found = os.stat(path, follow_symlinks=False)  # noqa: PTH116 - half the time
        except OSError:
            return False
        return os.path.samestat(found, self.file)

    def __del__(self) -> None:
        """Let go."""
        os.close(self.fd)


class Durable:
    """Makes names survive a power cut, those of directories only once."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[int, int], Held] = OrderedDict()
        self._lock = threading.Lock()

    def sync(self, chain: Sequence[int]) -> None:
        """Sync the last of these open directories, and the names that lead there.

        Another process may have made a directory and not synced its name: one that we
        have not synced ourselves, and held since, counts as such.
        """
        os.fsync(chain[-1])
        for above, fd in reversed([*pairwise(chain)]):
            file = os.fstat(fd)
            if not self._knows((file.st_dev, file.st_ino)):
                os.fsync(above)
                self._learn(Held(fd))

    def _knows(self, inode: tuple[int, int]) -> bool:
        with self._lock:
            known = inode in self._known
            if known:
                self._known.move_to_end(inode)
            return known

    def _learn(self, held: Held) -> None:
        with self._lock:
            self._known[held.file.st_dev, held.file.st_ino] = held
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
