"""Which folders of a tree have lain still, for rounds of upkeep."""

from __future__ import annotations

import os
import time
from pathlib import Path


class StillFolders:
    """Names directly below a folder, each told once after it has come to rest.

    A folder's time changes when something is put into it or taken out. The first
    look tells all that have rested for `rest` seconds; later ones only those that
    came to rest since.
    """

    def __init__(self, folder: Path, rest: float = 300.0) -> None:
        self._folder = folder
        self._rest = rest
        self._since = 0.0

    def look(self) -> list[str]:
        """The names that have come to rest since the last look."""
        until = time.time() - self._rest
        try:
            with os.scandir(self._folder) as entries:
                rested = [
                    entry.name
                    for entry in entries
                    if entry.is_dir(follow_symlinks=False)
                    and self._since
                    <= entry.stat(follow_symlinks=False).st_mtime
                    < until
                ]
        except FileNotFoundError:
            return []
        self._since = until
        return rested
