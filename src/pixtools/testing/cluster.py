"""A real cluster on this machine: API, workers and schedulers as processes.

They share the servers that their environment names. Each process has a name (`api-1`,
`worker-1`, `ml-1`, `scheduler-1`), can be killed, stopped, frozen and started again by
it, and says what it says into a file of that name.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from pixtools.testing.program import STOP_SECONDS, Program, command, eventually
from pixtools.testing.serving import greeted_at, is_ready
from pixtools.testing.spaces import Bucket

__all__ = ["ROLES", "Cluster", "cluster", "settings_of"]

START_SECONDS = 60.0
SECRET_KEY = "known-to-every-process-of-a-test"  # noqa: S105 - a made-up one
ROLES = {
    "api": ("serve",),
    "worker": ("worker", "--queues", "default_queue"),
    "ml": ("worker", "--queues", "ml_inference_queue"),
    "scheduler": ("scheduler",),
}
"""The command of each kind of process."""


def settings_of(
    *, postgres: str, rabbitmq: str, redis: str, bucket: Bucket
) -> dict[str, str]:
    """The variables that lead to servers, and to what is ours on them.

    Nobody's rate is limited: tests are many clients at one address.
    """
    return {
        "RATE_LIMIT_ENABLED": "false",
        "SECRET_KEY": SECRET_KEY,
        "DATABASE_URL": postgres,
        "RABBITMQ_URL": rabbitmq,
        "REDIS_URL": redis,
        "S3_BUCKET": bucket.name,
        "AWS_ENDPOINT_URL": bucket.endpoint,
        "AWS_REGION": bucket.region,
        "AWS_ACCESS_KEY_ID": bucket.access_key,
        "AWS_SECRET_ACCESS_KEY": bucket.secret_key,
    }


@dataclass(slots=True)
class Cluster:
    """The processes of a cluster; `url` and `http` lead to its first API."""

    env: Mapping[str, str]
    directory: Path
    programs: dict[str, Program] = field(init=False, default_factory=dict)
    urls: dict[str, str] = field(init=False, default_factory=dict)
    """Where each API listens; an API keeps its address over restarts."""
    _clients: dict[str, httpx2.Client] = field(init=False, default_factory=dict)
    _counts: Counter[str] = field(init=False, default_factory=Counter)
    _ready: set[str] = field(init=False, default_factory=set)

    @property
    def url(self) -> str:
        """The address of the first API."""
        return self.urls["api-1"]

    @property
    def http(self) -> httpx2.Client:
        """A client of the first API."""
        return self.client("api-1")

    def start(
        self, *, api: int = 1, workers: int = 1, schedulers: int = 1, ml: int = 0
    ) -> None:
        """Migrate, start so many of each, wait until all work."""
        self.migrate()
        counts = {"scheduler": schedulers, "worker": workers, "ml": ml, "api": api}
        names = [self._added(role, {}) for role in counts for _ in range(counts[role])]
        for name in names:
            self.programs[name].start()
        for name in names:
            self._wait_until_ready(name)

    def add(self, role: str, **settings: str) -> str:
        """Start one more process of a role, with settings of its own; its name."""
        name = self._added(role, settings)
        self.programs[name].start()
        self._wait_until_ready(name)
        return name

    def migrate(self) -> None:
        """Bring the database to this version's schema."""
        self.directory.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            command("migrate"),
            env=self._program("migrate", {}).whole_environment,
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"migrate ended so: {done.stdout}{done.stderr}")

    def process(self, name: str) -> Program:
        """A process by its name, such as `worker-1`."""
        return self.programs[name]

    def names(self, role: str) -> list[str]:
        """The names of all processes of a role, in the order of their starts."""
        return [name for name in self.programs if name.rpartition("-")[0] == role]

    def works(self, name: str) -> bool:
        """Whether a process has been ready since its last start."""
        return name in self._ready

    def client(self, name: str) -> httpx2.Client:
        """A client of one API."""
        if name not in self._clients:
            self._clients[name] = httpx2.Client(
                base_url=self.urls[name], timeout=60, trust_env=False
            )
        return self._clients[name]

    def kill(self, name: str) -> None:
        """Kill a process (SIGKILL), but not its pixel children: they have to notice."""
        self._ready.discard(name)
        self.programs[name].kill()

    def stop(self, name: str, within: float = STOP_SECONDS) -> int:
        """Ask a process to end (SIGTERM); its exit code."""
        self._ready.discard(name)
        return self.programs[name].stop(within)

    def freeze(self, name: str) -> None:
        """Hold a process in the middle of whatever it does (SIGSTOP)."""
        self.programs[name].send(signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """Let a frozen process go on (SIGCONT)."""
        self.programs[name].send(signal.SIGCONT)

    def restart(self, name: str) -> None:
        """Start a process again, after asking it to end if it runs; waits for it."""
        if self.programs[name].runs:
            self.stop(name)
        self.programs[name].start()
        self._wait_until_ready(name)

    def words(self, name: str = "") -> str:
        """What a process, or each of them, has printed over all its starts."""
        names = [name] if name else list(self.programs)
        return "\n".join(f"--- {n} said ---\n{self.programs[n].words()}" for n in names)

    def close(self) -> None:
        """Leave no process behind, whatever state each is in."""
        with ExitStack() as stack:
            for program in self.programs.values():
                stack.callback(program.clear)
            for client in self._clients.values():
                stack.callback(client.close)

    def _added(self, role: str, settings: Mapping[str, str]) -> str:
        self._counts[role] += 1
        name = f"{role}-{self._counts[role]}"
        self.programs[name] = self._program(name, settings)
        return name

    def _program(self, name: str, settings: Mapping[str, str]) -> Program:
        role = name.rpartition("-")[0]
        own = {
            "PORT": "0",
            "PIXTOOLS_DATA_DIR": str(self.directory / "data" / name),
            "WORKER_HEARTBEAT_FILE": str(self._heartbeat(name)),
            "SCHEDULER_HEARTBEAT_FILE": str(self._heartbeat(name)),
        }
        said = self.directory / "said" / f"{name}.txt"
        words = command(*ROLES.get(role, ()))
        return Program(words, {**own, **self.env, **settings}, said)

    def _heartbeat(self, name: str) -> Path:
        return self.directory / f"{name}.heartbeat"

    def _wait_until_ready(self, name: str) -> None:
        role, program = name.rpartition("-")[0], self.programs[name]
        if role == "api":
            eventually(lambda: self._greets(name), START_SECONDS, program.words)
            eventually(lambda: self._answers(name), START_SECONDS, program.words)
        else:
            since = time.time()
            eventually(lambda: self._beats(name, since), START_SECONDS, program.words)
        self._ready.add(name)

    def _greets(self, name: str) -> bool:
        program = self.programs[name]
        url = greeted_at(program)
        if url:
            self.urls[name] = url
            port = url.rpartition(":")[2]
            program.settings = {**program.settings, "PORT": port}
        return bool(url)

    def _answers(self, name: str) -> bool:
        self.programs[name].refuse_death()
        return is_ready(self.client(name))

    def _beats(self, name: str, since: float) -> bool:
        """Whether a process has touched its file; one from its last life is no sign."""
        self.programs[name].refuse_death()
        heartbeat = self._heartbeat(name)
        return heartbeat.exists() and heartbeat.stat().st_mtime >= since


@contextmanager
def cluster(
    env: Mapping[str, str],
    *,
    api: int = 1,
    workers: int = 1,
    schedulers: int = 1,
    ml: int = 0,
    directory: Path | None = None,
) -> Iterator[Cluster]:
    """A started cluster for a block.

    At the end no process of it is left, and what they have printed is on stdout,
    where the report of a failed test shows it; in a given directory it stays.
    """
    with tempfile.TemporaryDirectory(prefix="pixtools-cluster-") as room:
        house = Cluster(env, directory or Path(room))
        try:
            house.start(api=api, workers=workers, schedulers=schedulers, ml=ml)
            yield house
        finally:
            house.close()
            sys.stdout.write(f"\n{house.words()}")
