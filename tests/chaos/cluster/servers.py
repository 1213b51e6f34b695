"""PostgreSQL, RabbitMQ and Redis that belong to this suite alone.

Whoever stops a server must be the only one who needs it. Objects are different: their
server is shared, because what fails there fails in a proxy of ours.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from pixtools.testing.services import MANAGED_BY, SERVERS

OURS: Final = ("postgres", "rabbitmq", "redis")
SECONDS: Final = 300.0


@dataclass(slots=True)
class Servers:
    """Three servers in a directory of their own, started and stopped by name."""

    checkout: Path
    door: Path
    lines: Mapping[str, str] = field(init=False, default_factory=dict)

    def start(self, *names: str) -> None:
        """Have these, and wait until they answer; skips the test if it can't be."""
        answer = self._call("start", "--lent", *names)
        if answer.returncode:
            pytest.skip(f"NOT tested for want of servers. {answer.stderr.strip()}")
        lines = shlex.split((self.door / "env").read_text(), comments=True)
        self.lines = dict(line.split("=", 1) for line in lines)

    def stop(self, *names: str) -> None:
        """Stop these cleanly; what they hold stays."""
        self._call("stop", *names).check_returncode()

    def clear(self) -> None:
        """Stop all, and forget what they hold."""
        self._call("clear").check_returncode()

    def _call(self, *words: str) -> subprocess.CompletedProcess[str]:
        named = {*SERVERS, MANAGED_BY}
        environ = {k: v for k, v in os.environ.items() if k not in named}
        return subprocess.run(
            [sys.executable, "-m", "scripts.services", *words],
            cwd=self.checkout,
            env=environ | {"PIXTOOLS_SERVICES_DIR": str(self.door)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )


@contextmanager
def own_servers(checkout: Path, services: Path) -> Iterator[Servers]:
    """All three for a block; what they held is gone after it.

    Each checkout has its own, so that several may be tested on one machine at once;
    what a killed session left behind is taken over by the next one.
    """
    mark = hashlib.sha256(str(checkout).encode()).hexdigest()[:8]
    servers = Servers(checkout, services / f"chaos-{mark}")
    with _alone(services / f"chaos-{mark}.lock"):
        try:
            servers.start(*OURS)
            yield servers
        finally:
            servers.clear()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One session at a time; the file is gone after the last one."""
    while True:
        with path.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # A file that was removed meanwhile is nobody's lock.
            if path.exists() and path.stat().st_ino == os.fstat(lock.fileno()).st_ino:
                try:
                    yield
                finally:
                    path.unlink(missing_ok=True)
                return
