"""A real `pixtools …` process on this machine: started, stopped, killed, frozen.

It reads no `.env`. What it prints is kept, over all its starts, for the report of a
failed test.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

__all__ = ["STOP_SECONDS", "Program", "command", "eventually", "pixel_children_of"]

STOP_SECONDS = 30.0
PAUSE = 0.02


def command(*words: str) -> list[str]:
    """The command line of `pixtools …` as this Python runs it."""
    return [sys.executable, "-m", "pixtools", *words]


def eventually(
    so: Callable[[], bool], within: float, hint: Callable[[], str] = str
) -> None:
    """Look until it is so; AssertionError with the hint after `within` seconds."""
    deadline = time.monotonic() + within
    while not so():
        if time.monotonic() > deadline:
            raise AssertionError(f"Not so after {within:g} s: {hint()}")
        time.sleep(PAUSE)


@dataclass(slots=True)
class Program:
    """One command in a process group of its own; it can be started again."""

    line: Sequence[str]
    settings: Mapping[str, str]
    """Variables beside those of this process."""
    said: Path
    """Where all that it prints is kept; its folder is the working directory."""
    process: subprocess.Popen[bytes] = field(init=False)
    _heard: int = field(init=False, default=0)

    @property
    def pid(self) -> int:
        """The process id of its last start."""
        return self.process.pid

    @property
    def runs(self) -> bool:
        """Whether it was started and has not ended."""
        return hasattr(self, "process") and self.process.poll() is None

    @property
    def whole_environment(self) -> dict[str, str]:
        """Every variable that it sees."""
        return os.environ | dict(self.settings)

    def start(self) -> None:
        """Start it (again); does not wait until it is ready."""
        self.said.parent.mkdir(parents=True, exist_ok=True)
        with self.said.open("ab") as said:
            # The end of its last words, so that old ones are not taken for new.
            self._heard = said.seek(0, os.SEEK_END)
            self.process = subprocess.Popen(
                self.line,
                env=self.whole_environment,
                cwd=self.said.parent,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, but not its children."""
        self.process.send_signal(number)

    def stop(self, within: float = STOP_SECONDS) -> int:
        """Ask it to end (SIGTERM); its exit code."""
        self.send(signal.SIGTERM)
        return self.process.wait(within)

    def kill(self) -> None:
        """Kill it, but not its children: they have to notice."""
        self.process.kill()
        self.process.wait(STOP_SECONDS)

    def clear(self) -> None:
        """Leave no process of it behind, whatever state it is in."""
        if not hasattr(self, "process"):
            return
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait(STOP_SECONDS)

    def words(self) -> str:
        """All that it has printed, over all its starts."""
        return self.said.read_text(errors="replace") if self.said.exists() else ""

    def news(self) -> str:
        """What it has printed since its last start."""
        return self.said.read_bytes()[self._heard :].decode(errors="replace")

    def refuse_death(self) -> None:
        """AssertionError with its words if it has ended."""
        code = self.process.poll()
        if code is not None:
            raise AssertionError(f"It ended with exit code {code}: {self.words()}")

    def pixel_children(self) -> list[int]:
        """The process ids of its pixel children."""
        return pixel_children_of(self.pid)

    def family(self) -> list[int]:
        """Living processes of its group: itself, and whoever outlived it."""
        return [
            process.pid
            for process in psutil.process_iter()
            if _group_of(process.pid) == self.pid and _lives(process)
        ]


def pixel_children_of(pid: int) -> list[int]:
    """The process ids of a process's pixel children."""
    try:
        children = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return [child.pid for child in children if _is_pixel_child(child)]


def _is_pixel_child(process: psutil.Process) -> bool:
    try:
        return "pixtools.workers.child" in process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return False


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _group_of(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0
