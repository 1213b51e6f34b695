"""`pixtools serve` under a profiler, in every thread; started by `where` only.

Counts processor time, not waiting. SIGUSR1 forgets what was counted so far. When the
server has ended, the counts of each thread are written to the file PRICE_PROFILE.
"""

from __future__ import annotations

import cProfile
import marshal
import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

MAIN = "MainThread"

_profiles: dict[str, cProfile.Profile] = {}


def main() -> None:
    """Serve, counting."""
    signal.signal(signal.SIGUSR1, _forget)
    threading.setprofile(_begin)
    own = _profiles.setdefault(MAIN, cProfile.Profile(time.thread_time))
    own.enable()
    try:
        from pixtools.cli.main import main as pixtools

        sys.argv = ["pixtools", "serve"]
        pixtools()
    finally:
        own.disable()
        _write(Path(os.environ["PRICE_PROFILE"]))


def _begin(frame: FrameType, event: str, argument: object) -> None:
    """Called once in each new thread: from here on its own profile counts."""
    del frame, event, argument
    sys.setprofile(None)
    thread = threading.current_thread()
    mine = cProfile.Profile(time.thread_time)
    _profiles[f"{thread.name} {threading.get_native_id()}"] = mine
    mine.enable()


def _forget(number: int, frame: FrameType | None) -> None:
    del number, frame
    for profile in list(_profiles.values()):
        profile.clear()


def _write(path: Path) -> None:
    counts: dict[str, dict[str, Any]] = {}
    for name, profile in _profiles.items():
        profile.create_stats()
        found: dict[Any, Any] = profile.stats
        counts[name] = {
            f"{file}:{function}:{line}": (calls, own, total)
            for (file, line, function), (_, calls, own, total, _) in found.items()
        }
    path.write_bytes(marshal.dumps(counts))


if __name__ == "__main__":
    main()
