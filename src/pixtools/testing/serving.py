"""A real `pixtools serve` on this machine: started, asked, stopped, killed.

It listens on a free port of the loopback interface and keeps its data where the test
says. What it prints is kept for the report of a failed test.
"""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from pixtools.testing.program import (
    STOP_SECONDS,
    Program,
    command,
    eventually,
    pixel_children_of,
)

__all__ = [
    "Serving",
    "command",
    "eventually",
    "greeted_at",
    "is_ready",
    "pixel_children_of",
    "serving",
]

START_SECONDS = 60.0
PROBE = "probe-"
"""What the names begin with of files that a store of files makes to see if it can."""
_GREETING = re.compile(r"http://127\.0\.0\.1:(\d+)")


@dataclass(slots=True)
class Serving:
    """One service and the directory that it keeps its data in."""

    data: Path
    settings: Mapping[str, str]
    said: Path
    line: Sequence[str] = field(default_factory=lambda: command("serve"))
    url: str = field(init=False, default="")
    http: httpx2.Client = field(init=False)
    _program: Program = field(init=False)

    def __post_init__(self) -> None:
        named = {"PORT": "0", "PIXTOOLS_DATA_DIR": str(self.data)}
        settings = named | dict(self.settings)
        self._program = Program(self.line, settings, self.said)

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process of its last start."""
        return self._program.process

    def start(self) -> None:
        """Start it (again) on its data, and wait until it is ready."""
        self.url = ""
        self._program.start()
        eventually(self._greeted, START_SECONDS, self.words)
        self.http = httpx2.Client(base_url=self.url, timeout=60, trust_env=False)
        eventually(self._ready, START_SECONDS, self.words)

    def stop(self, within: float = STOP_SECONDS) -> int:
        """Ask it to end (SIGTERM); its exit code."""
        return self._program.stop(within)

    def kill(self) -> None:
        """Kill the service, but not its pixel children: they have to notice."""
        self._program.kill()

    def restart(self) -> None:
        """Start it again after its end, on the same data."""
        former = self.http
        self.start()
        former.close()

    def clear(self) -> None:
        """Leave no process behind, however the test went."""
        self._program.clear()
        if self.url:
            self.http.close()

    def words(self) -> str:
        """All that it has printed, over all its starts."""
        return self._program.words()

    @property
    def homes(self) -> tuple[str, ...]:
        """What links to its files begin with."""
        return (f"{self.url}/files/",)

    def pixel_children(self) -> list[int]:
        """The process ids of its pixel children."""
        return self._program.pixel_children()

    def family(self) -> list[int]:
        """Living processes of its group: the service, and whoever outlived it."""
        return self._program.family()

    def files(self) -> set[str]:
        """Every file in a folder of the data directory; not its database and keys.

        Nor those that come and go because the service looks whether it can write.
        """
        return {
            (Path(folder) / name).relative_to(self.data).as_posix()
            for top in self.data.glob("*/")
            for folder, _, names in os.walk(top)  # minds no folder that goes meanwhile
            for name in names
            if not name.startswith(PROBE)
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

    def rows_of(self, job_id: str) -> list[str]:
        """The tables that remind of a job, once for each row."""
        found: list[str] = []
        with closing(self.database()) as database:
            for table, column in (
                ("jobs", "id"),
                ("stages", "job_id"),
                ("events", "job_id"),
                ("deliveries", "job_id"),
                ("burials", "job_id"),
            ):
                sql = f'SELECT count(*) FROM "{table}" WHERE "{column}" = ?'  # noqa: S608 - names of ours
                found += [table] * database.execute(sql, (job_id,)).fetchone()[0]
        return found

    def database(self) -> sqlite3.Connection:
        """A look into the database, which can't change it."""
        path = self.data / "pixtools.sqlite3"
        return sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)

    def _greeted(self) -> bool:
        self.url = greeted_at(self._program)
        return self.url != ""

    def _ready(self) -> bool:
        self._program.refuse_death()
        return is_ready(self.http)


def greeted_at(program: Program) -> str:
    """The address that a started `pixtools serve` has told, or nothing yet."""
    program.refuse_death()
    greeting = _GREETING.search(program.news())
    return f"http://127.0.0.1:{int(greeting[1])}" if greeting else ""


def is_ready(http: httpx2.Client) -> bool:
    """Whether a service answers that it takes jobs."""
    try:
        return http.get("/api/readyz").status_code == 200
    except httpx2.TransportError:
        return False


@contextmanager
def serving(
    settings: Mapping[str, str] | None = None,
    *,
    data: Path | None = None,
    line: Sequence[str] = (),
) -> Iterator[Serving]:
    """A started service for a block; settings are environment variables.

    `line` is a command that serves in its place. At the end of the block no process of
    it is left, and what it has printed is on stdout, where the report of a failed test
    shows it.
    """
    with tempfile.TemporaryDirectory(prefix="pixtools-serving-") as room:
        place = data or Path(room) / "data"
        said = Path(room) / "run" / "said.txt"
        served = Serving(place, settings or {}, said, line or command("serve"))
        try:
            served.start()
            yield served
        finally:
            served.clear()
            sys.stdout.write(f"\n--- pixtools serve said ---\n{served.words()}")
