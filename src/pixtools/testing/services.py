"""Pytest fixtures of real servers: PostgreSQL, Redis, RabbitMQ and S3.

Activate them with `pytest_plugins = ["pixtools.testing.services"]` in the topmost
conftest.py. They are those of `make services`: what the environment names, else what
the checkout can have; started when the first test asks, all that the session needs at
once, and stopped after it unless somebody else wants them. Each module of tests gets a
database, virtual host or bucket of its own, which is gone after it. Where a server
can't be had, its tests are skipped and say why.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pixtools.testing import spaces

SERVERS = {
    "DATABASE_URL": "postgres",
    "REDIS_URL": "redis",
    "RABBITMQ_URL": "rabbitmq",
    "AWS_ENDPOINT_URL": "s3",
}
"""Which server each variable leads to, in the words of `make services`."""
ASKED_BY = {
    "postgres_url": "postgres",
    "redis_url": "redis",
    "rabbitmq_url": "rabbitmq",
    "s3": "s3",
}
"""Which server each fixture asks for; `cluster_space` asks for all."""
MANAGED_BY = "RABBITMQ_MANAGEMENT_URL"
START_SECONDS, STOP_SECONDS = 1200.0, 120.0
_ENVIRON = pytest.StashKey[Mapping[str, str]]()
_WANTED = pytest.StashKey[frozenset[str]]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Keep the environment, before tests forget the settings in it."""
    config.stash[_ENVIRON] = dict(os.environ)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Note which servers this session's tests ask for."""
    session.config.stash[_WANTED] = frozenset(
        ASKED_BY[name]
        for item in session.items
        if isinstance(item, pytest.Function)
        for name in item.fixturenames
        if name in ASKED_BY
    )


@dataclass(slots=True)
class Services:
    """The servers of a session, each there once it was asked for."""

    checkout: Path
    environ: Mapping[str, str]
    wanted: frozenset[str]
    """What the session's tests are known to ask for."""
    show: Callable[[], AbstractContextManager[None]]
    """Lets the starting of servers be seen at the terminal."""
    _lines: dict[str, str] = field(default_factory=dict)
    _asked: set[str] = field(default_factory=set)
    _said: str = "The environment names none."

    @property
    def door(self) -> Path:
        """What `make services` writes for us."""
        named = self.environ.get("PIXTOOLS_SERVICES_DIR")
        return Path(named) if named else self.checkout / ".services"

    def line(self, variable: str) -> str:
        """What leads to a server; where it can't be had, the test is skipped aloud."""
        server = SERVERS[variable]
        self.ask({server})
        if variable not in self._lines:
            pytest.skip(f"NOT tested for want of {variable}. {self._said}")
        return self._lines[variable]

    def lines(self, variable: str) -> Mapping[str, str]:
        """All that is needed beside a variable."""
        self.line(variable)
        return self._lines

    def managed(self) -> tuple[str, str]:
        """What leads to RabbitMQ, and to what makes virtual hosts there."""
        lines = self.lines("RABBITMQ_URL")
        if MANAGED_BY not in lines:
            pytest.skip(f"NOT tested for want of {MANAGED_BY}: it makes virtual hosts.")
        return lines["RABBITMQ_URL"], lines[MANAGED_BY]

    def ask(self, servers: set[str] | frozenset[str]) -> None:
        """Have these servers, all at once, if that was not tried before."""
        if servers <= self._asked:
            return
        self._asked |= servers
        if not self._has_script:
            self._lines = dict(self.environ)
            return
        wanted = sorted(self._asked)
        self._said = self._call("start", "--lent", *wanted, seconds=START_SECONDS)
        lines = shlex.split((self.door / "env").read_text(), comments=True)
        self._lines = dict(line.split("=", 1) for line in lines)

    def stop(self) -> None:
        """Let go of what was started for tests, unless somebody else wants it."""
        if self._asked and self._has_script:
            self._call("stop", "--lent", seconds=STOP_SECONDS)

    @property
    def _has_script(self) -> bool:
        return (self.checkout / "scripts" / "services").is_dir()

    def _call(self, *words: str, seconds: float) -> str:
        """Run the command of `make services`; what it could not do."""
        with self.show():
            sys.stdout.write("\n")
            sys.stdout.flush()
            answer = subprocess.run(
                [sys.executable, "-m", "scripts.services", *words],
                cwd=self.checkout,
                env=dict(self.environ),
                stdin=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                timeout=seconds,
                check=False,
            )
            sys.stdout.write(answer.stderr)
        if answer.returncode not in {0, 1}:
            raise AssertionError(f"{words} ended with {answer.returncode}")
        return answer.stderr.strip()


@pytest.fixture(scope="session")
def services(request: pytest.FixtureRequest) -> Iterator[Services]:
    """The servers that this session's tests may ask for."""
    config = request.config
    capture = config.pluginmanager.getplugin("capturemanager")
    had = Services(
        config.rootpath,
        config.stash[_ENVIRON],
        config.stash[_WANTED],
        capture.global_and_fixture_disabled if capture else nullcontext,
    )
    had.door.mkdir(mode=0o711, exist_ok=True)
    # While this file is locked, no other session stops what this one uses.
    with (had.door / "users").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        had.ask(had.wanted)
        yield had
    had.stop()


@dataclass(frozen=True, slots=True)
class Space:
    """Room for a cluster: something of its own on each server."""

    postgres: str
    redis: str
    rabbitmq: str
    bucket: spaces.Bucket


@pytest.fixture(scope="session")
def cluster_space(services: Services) -> Iterator[Space]:
    """Empty room for one cluster, on all four servers, for the whole session."""
    services.ask(frozenset(SERVERS.values()))
    lines = {name: services.line(name) for name in SERVERS}
    with (
        spaces.fresh_database(lines["DATABASE_URL"]) as postgres,
        spaces.fresh_redis(lines["REDIS_URL"]) as redis,
        spaces.fresh_virtual_host(*services.managed()) as rabbitmq,
        spaces.fresh_bucket(services.lines("AWS_ENDPOINT_URL")) as bucket,
    ):
        yield Space(postgres, redis, rabbitmq, bucket)


@pytest.fixture(scope="module")
def postgres_url(services: Services) -> Iterator[str]:
    """An empty PostgreSQL database (postgresql+psycopg://…)."""
    with spaces.fresh_database(services.line("DATABASE_URL")) as url:
        yield url


@pytest.fixture(scope="module")
def redis_url(services: Services) -> Iterator[str]:
    """An empty database of Redis."""
    with spaces.fresh_redis(services.line("REDIS_URL")) as url:
        yield url


@pytest.fixture(scope="module")
def rabbitmq_url(services: Services) -> Iterator[str]:
    """An empty virtual host of RabbitMQ."""
    with spaces.fresh_virtual_host(*services.managed()) as url:
        yield url


@pytest.fixture(scope="module")
def s3(services: Services) -> Iterator[spaces.Bucket]:
    """An empty bucket on a server that checks signatures."""
    with spaces.fresh_bucket(services.lines("AWS_ENDPOINT_URL")) as bucket:
        yield bucket
