"""Processes that outlive the command that started them.

Each is known by its id and by when it was born, because an id alone may belong to
somebody else by now: nothing is ever ended that was not started here.
"""

from __future__ import annotations

import json
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from scripts.services.errors import CannotServe
from scripts.services.place import Place, give, known

PAUSE = 0.05
PATIENCE = 20.0
"""Seconds that a process has for a clean end."""


class _Account(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Room:
    """A server's own directory, and the account that works there."""

    place: Place
    path: Path
    account: str

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """Start a process in a session of its own; what it says is kept here."""
        log = self.path / f"{name}.log"
        with self.place.recording(), log.open("wb") as said:
            process = subprocess.Popen(
                command,
                cwd=self.path,
                env={**self._environ(), **(environ or {})},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=0o077,
                **_as(self.account),
            )
            record = {"pid": process.pid, "born": _born(process.pid)}
            (self.place.records / name).write_text(json.dumps(record))

    def run(self, command: Sequence[str], seconds: float, told: str = "") -> str:
        """Run a command to its end on what it is told; its answer.

        Raises CannotServe.
        """
        try:
            answer = subprocess.run(
                command,
                cwd=self.path,
                env=self._environ(),
                input=told,
                capture_output=True,
                text=True,
                timeout=seconds,
                check=False,
                umask=0o077,
                **_as(self.account),
            )
        except (OSError, subprocess.TimeoutExpired) as failure:
            raise CannotServe(f"{command[0]} failed: {failure}") from failure
        if answer.returncode != 0:
            words = _tail(answer.stderr) or f"exit code {answer.returncode}"
            raise CannotServe(f"{command[0]} failed: {words}")
        return answer.stdout

    def write(self, name: str, text: str) -> Path:
        """Write a file that only this account reads."""
        path = self.path / name
        path.touch(mode=0o600)
        path.write_text(text)
        give(path, self.account)
        return path

    def folder(self, name: str) -> Path:
        """An empty folder that only this account enters."""
        path = self.path / name
        path.mkdir(mode=0o700)
        give(path, self.account)
        return path

    def last_words(self, name: str) -> str:
        """The end of what a process said."""
        log = self.path / f"{name}.log"
        return _tail(log.read_text(errors="replace")) if log.exists() else ""

    def _environ(self) -> dict[str, str]:
        """Nothing of the caller's environment but the search path."""
        path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
        return {"PATH": path, "HOME": str(self.path), "LC_ALL": "C.UTF-8"}


def enter(place: Place, name: str, account: str) -> Room:
    """A server's directory, made if it is not there; nobody else reads it."""
    path = place.data / name
    path.mkdir(mode=0o700, exist_ok=True)
    give(path, account)
    return Room(place, path, account)


def lives(place: Place, name: str) -> bool:
    """Whether the process that was started under this name is still there."""
    return _pid(place, name) is not None


def wait_until(so: Callable[[], bool], seconds: float, what: str) -> None:
    """Look until it is so; raises CannotServe if it does not become so."""
    if not _becomes(so, seconds):
        raise CannotServe(f"{what} took more than {seconds:g} s")


def stop(place: Place, name: str, sign: signal.Signals = signal.SIGTERM) -> str:
    """End a process; "gone", "stopped", or "killed" if it would not listen."""
    pid = _pid(place, name)
    how = "gone" if pid is None else _end(pid, lambda: not lives(place, name), sign)
    (place.records / name).unlink(missing_ok=True)
    return how


def _end(pid: int, has_ended: Callable[[], bool], sign: signal.Signals) -> str:
    os.kill(pid, sign)
    if _becomes(has_ended, PATIENCE):
        return "stopped"
    os.killpg(pid, signal.SIGKILL)
    wait_until(has_ended, PATIENCE, f"the end of process {pid} by SIGKILL")
    return "killed"


def _becomes(so: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not so():
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE)
    return True


def _pid(place: Place, name: str) -> int | None:
    try:
        record = json.loads((place.records / name).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    pid = int(record["pid"])
    return pid if record["born"] == _born(pid) is not None else None


def _born(pid: int) -> str | None:
    """When a living process began, in ticks of this boot; None if it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None
    state, *rest = stat.rpartition(")")[2].split()
    return None if state in "ZX" else f"{boot}/{rest[18]}"


def _as(account: str) -> _Account:
    """Whom to run a program as: never root."""
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam(known(account))
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _tail(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " | ".join(lines[-4:])[-600:]
