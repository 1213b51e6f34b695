"""A folder, and a person who types `pixtools …` in it."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pixtools.testing.serving import command

GOOD, FAILED, MISUSED, INTERRUPTED = 0, 1, 2, 130


@dataclass(frozen=True, slots=True)
class Desk:
    """A folder with photos, and a person who types in it."""

    here: Path

    def run(self, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Type `pixtools …` and wait."""
        return subprocess.run(
            command(*words),
            cwd=self.here,
            env=os.environ | {"COLUMNS": "80"} | settings,
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Type `pixtools …` in a terminal of its own."""
        return subprocess.Popen(
            command(*words),
            cwd=self.here,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def files(self) -> set[str]:
        """Everything that lies here, hidden files too."""
        found = (path for path in self.here.rglob("*") if path.is_file())
        return {path.relative_to(self.here).as_posix() for path in found}
