"""The service under load: a cluster on fresh spaces, an embedded or a named one."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import (
    AbstractContextManager,
    ExitStack,
    contextmanager,
    redirect_stdout,
)
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.load.meter import Roots
from pixtools.testing import spaces
from pixtools.testing.cluster import cluster, settings_of
from pixtools.testing.serving import serving
from pixtools.testing.spaces import Bucket

ROOT: Final = Path(__file__).resolve().parents[2]
SETTINGS: Final = {
    # Clients of a load test all come from one address.
    "RATE_LIMIT_ENABLED": "false",
    "QUEUE_SIZE": "400",
}
"""Beside them, everything is as it comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A service by its address; `roots` are its processes, where they can be seen.

    `bucket` is where it keeps its bytes, if that is ours.
    """

    title: str
    url: str
    roots: Callable[[], Roots] = dict
    bucket: Bucket | None = None


def house(
    *, embedded: bool, server: str | None, workers: int
) -> AbstractContextManager[House]:
    """What is to be measured, running; `workers` pixel processes if it is ours."""
    if server:
        return _named(server)
    settings = {**SETTINGS, "WORKERS": str(workers)}
    return _embedded(settings) if embedded else _cluster(settings)


@contextmanager
def _named(url: str) -> Iterator[House]:
    yield House(title=f"the service at {url}", url=url.rstrip("/"))


@contextmanager
def _embedded(settings: Mapping[str, str]) -> Iterator[House]:
    # What it prints belongs to tests that fail, not to a measurement.
    with redirect_stdout(io.StringIO()), serving(settings) as service:
        pid = service.process.pid
        yield House(
            title="one embedded service", url=service.url, roots=lambda: {"api": [pid]}
        )


@contextmanager
def _cluster(settings: Mapping[str, str]) -> Iterator[House]:
    lines = _servers()
    with ExitStack() as stack:
        bucket = stack.enter_context(spaces.fresh_bucket(lines))
        fresh = settings_of(
            postgres=stack.enter_context(spaces.fresh_database(lines["DATABASE_URL"])),
            rabbitmq=stack.enter_context(
                spaces.fresh_virtual_host(
                    lines["RABBITMQ_URL"], lines["RABBITMQ_MANAGEMENT_URL"]
                )
            ),
            redis=stack.enter_context(spaces.fresh_redis(lines["REDIS_URL"])),
            bucket=bucket,
        )
        stack.enter_context(redirect_stdout(io.StringIO()))
        running = stack.enter_context(cluster({**fresh, **settings}, ml=1))

        def roots() -> Roots:
            kinds = ("api", "worker", "ml", "scheduler")
            return {
                kind: [running.process(name).pid for name in running.names(kind)]
                for kind in kinds
            }

        title = "a cluster: one API, one standard and one ML worker, one scheduler"
        yield House(title=title, url=running.url, roots=roots, bucket=bucket)


def _servers() -> dict[str, str]:
    """The variables that lead to the four servers, started if they don't run."""
    words = [sys.executable, "-m", "scripts.services", "start", "--quiet"]
    subprocess.run(words, cwd=ROOT, check=True)
    from scripts.services.place import open_place, read_lines

    return read_lines(open_place())
