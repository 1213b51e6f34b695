"""A real `pixtools serve` on this machine: started, asked, stopped, killed.

It listens on a free port of the loopback interface, keeps its data where the test
says, and reads no `.env`. What it prints is kept for the report of a failed test.
"""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import psutil

__all__ = ["Serving", "command", "eventually", "pixel_children_of", "serving"]

START_SECONDS = 60.0
STOP_SECONDS = 30.0
PAUSE = 0.02
_GREETING = re.compile(rb"http://127\.0\.0\.1:(\d+)")


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
class Serving:
    """One service and the directory that it keeps its data in."""

    data: Path
    settings: Mapping[str, str]
    said: Path
    process: subprocess.Popen[bytes] = field(init=False)
    url: str = field(init=False, default="")
    http: httpx2.Client = field(init=False)
    _heard: int = field(init=False, default=0)

    def start(self) -> None:
        """Start it (again) on its data, and wait until it is ready."""
        self.process = self._started()
        eventually(self._greeted, START_SECONDS, self.words)
        self.http = httpx2.Client(base_url=self.url, timeout=60, trust_env=False)
        eventually(self._ready, START_SECONDS, self.words)

    def stop(self, within: float = STOP_SECONDS) -> int:
        """Ask it to end (SIGTERM); its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(within)

    def kill(self) -> None:
        """Kill the service, but not its pixel children: they have to notice."""
        self.process.kill()
        self.process.wait(STOP_SECONDS)

    def restart(self) -> None:
        """Start it again after its end, on the same data."""
        former = self.http
        self.start()
        former.close()

    def clear(self) -> None:
        """Leave no process behind, however the test went."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(STOP_SECONDS)
        if self.url:
            self.http.close()

    def words(self) -> str:
        """All that it has printed, over all its starts."""
        return self.said.read_text(errors="replace") if self.said.exists() else ""

    def pixel_children(self) -> list[int]:
        """The process ids of its pixel children."""
        return pixel_children_of(self.process.pid)

    def family(self) -> list[int]:
        """Living processes of its group: the service, and whoever outlived it."""
        return [
            process.pid
            for process in psutil.process_iter()
            if _group_of(process.pid) == self.process.pid and _lives(process)
        ]

    def files(self) -> set[str]:
        """Every file in a folder of the data directory; not its database and keys."""
        return {
            (Path(folder) / name).relative_to(self.data).as_posix()
            for top in self.data.glob("*/")
            for folder, _, names in os.walk(top)  # minds no folder that goes meanwhile
            for name in names
        }

    def rows(self) -> dict[str, int]:
        """How many rows each table has."""
        with closing(self.database()) as database:
            tables = database.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table'"
            ).fetchall()
            return {
                name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608 - the schema's own names
                for (name,) in tables
            }

    def database(self) -> sqlite3.Connection:
        """A look into the database, which can't change it."""
        path = self.data / "pixtools.sqlite3"
        return sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)

    def _started(self) -> subprocess.Popen[bytes]:
        named = {"PORT": "0", "PIXTOOLS_DATA_DIR": str(self.data)}
        self.url = ""
        self.said.parent.mkdir(parents=True, exist_ok=True)
        with self.said.open("ab") as said:
            # The end of the last greeting, so that an old one is not taken for new.
            self._heard = said.seek(0, os.SEEK_END)
            return subprocess.Popen(
                command("serve"),
                env=os.environ | named | dict(self.settings),
                cwd=self.said.parent,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

    def _greeted(self) -> bool:
        self._refuse_death()
        greeting = _GREETING.search(self.said.read_bytes()[self._heard :])
        if greeting:
            self.url = f"http://127.0.0.1:{int(greeting[1])}"
        return greeting is not None

    def _ready(self) -> bool:
        self._refuse_death()
        try:
            return self.http.get("/api/readyz").status_code == 200
        except httpx2.TransportError:
            return False

    def _refuse_death(self) -> None:
        code = self.process.poll()
        if code is not None:
            raise AssertionError(f"It ended with exit code {code}: {self.words()}")


@contextmanager
def serving(
    settings: Mapping[str, str] | None = None, *, data: Path | None = None
) -> Iterator[Serving]:
    """A started service for a block; settings are environment variables.

    At the end of the block no process of it is left, and what it has printed is on
    stdout, where the report of a failed test shows it.
    """
    with tempfile.TemporaryDirectory(prefix="pixtools-serving-") as room:
        place = data or Path(room) / "data"
        served = Serving(place, settings or {}, Path(room) / "run" / "said.txt")
        try:
            served.start()
            yield served
        finally:
            served.clear()
            sys.stdout.write(f"\n--- pixtools serve said ---\n{served.words()}")


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
