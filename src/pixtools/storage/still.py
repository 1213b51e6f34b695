"""Which folders of a tree have lain still, for rounds of upkeep."""

from __future__ import annotations

import os
import time
from itertools import chain
from pathlib import Path


class StillFolders:
    """Names directly below some folders, told once after they have come to rest.

    A folder's time changes when something is put into it or taken out. The first
    look tells all that have rested for `rest` seconds; later ones only those that
    came to rest since.
    """

    def __init__(self, *folders: Path, rest: float = 300.0) -> None:
        self._folders = folders
        self._rest = rest
        self._since = 0.0

    def look(self) -> list[str]:
        """The names that have come to rest since the last look, each of them once."""
        until = time.time() - self._rest
        rested = [self._rested(folder, until) for folder in self._folders]
        self._since = until
        return list(dict.fromkeys(chain.from_iterable(rested)))

    def _rested(self, folder: Path, until: float) -> list[str]:
        try:
            with os.scandir(folder) as entries:
                return [
                    entry.name
                    for entry in entries
                    if entry.is_dir(follow_symlinks=False)
                    and self._since
                    <= entry.stat(follow_symlinks=False).st_mtime
                    < until
                ]
        except FileNotFoundError:
            return []
