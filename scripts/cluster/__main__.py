"""The whole cluster on this machine, in the foreground until Ctrl-C.

    python -m scripts.cluster

Takes the servers that the environment or .env names, and those of `make services` for
what they don't; brings database and storage up to date; then runs one API, one standard
worker, one ML worker and one scheduler. Who dies is started again, within bounds. Every
setting of PixTools holds for all of them. Ctrl-C ends them in order: the API finishes
its answers, the workers finish what they do or give it back. The servers stay.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values
from scripts.cluster import servers, topology
from scripts.cluster.crew import Crew
from scripts.cluster.errors import CannotRun
from scripts.cluster.voice import Voice


def main() -> int:
    """Run until asked to stop; the exit code."""
    voice = Voice()
    try:
        given = _given()
        environ = {**given, **servers.lines(given)}
        _migrate(environ)
        with tempfile.TemporaryDirectory(prefix="pixtools-cluster-") as room:
            return _run(environ, Path(room), voice)
    except CannotRun as reason:
        print(f"cluster: {reason}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("cluster: stopped before it ran.", file=sys.stderr)
        return 130


def _run(environ: Mapping[str, str], room: Path, voice: Voice) -> int:
    crew = Crew(topology.ranks(environ, room), voice)
    crew.heed_signals()
    reason = None
    try:
        if crew.start():
            _greet(crew, voice)
            crew.keep_up()
    except CannotRun as found:
        reason = found
        voice.tell(f"cluster: {reason}")
    crew.stop()
    voice.tell(
        "cluster: ended. PostgreSQL, Redis, RabbitMQ and S3 go on; those of this "
        "checkout are stopped by `make services-stop`."
    )
    return 1 if reason else 0


def _greet(crew: Crew, voice: Voice) -> None:
    api = next(member for member in crew.members if member.name == "api")
    for line in topology.summary(crew.members, topology.address(api) or "?"):
        voice.tell(line)


def _migrate(environ: Mapping[str, str]) -> None:
    """Before anything runs, because everything else expects this version's schema."""
    words = topology.command("migrate", "--storage")
    if subprocess.run(words, env=environ, check=False).returncode:
        raise CannotRun("database and storage could not be brought up to date.")


def _given() -> dict[str, str]:
    """The environment, above the file .env, as the settings read them."""
    filed = {k: v for k, v in dotenv_values(".env").items() if v}
    return filed | {k: v for k, v in os.environ.items() if v or k not in filed}


if __name__ == "__main__":
    sys.exit(main())
