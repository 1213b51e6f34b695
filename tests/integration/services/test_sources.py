"""Where `make services` takes a server from, and what it says if there is none."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from urllib.parse import urlsplit

from tests.integration.services.checkout import Checkout, answers

from pixtools.testing.services import Services

ENGINE = """#!/bin/sh
echo "$*" >> {log}
case "$1 $2" in
"info "*) exit 0 ;;
"container inspect") [ -e {log}.made ] ;;
"run --detach")
  touch {log}.made
  port=$(echo "$*" | sed 's/.*127.0.0.1:\\([0-9]*\\):6379.*/\\1/')
  exec {redis} --port "$port" --bind 127.0.0.1 --requirepass "$SECRET" \\
    --daemonize yes --pidfile {log}.pid --dir {folder} --save "" > {log}.out ;;
"stop -t" | "rm --force") kill "$(cat {log}.pid)" 2>> {log}.out || true ;;
esac
"""


def test_where_a_container_engine_runs_it_is_used(
    checkout: Checkout, tmp_path: Path
) -> None:
    """Made once, stopped and removed with the rest; the password is in no command."""
    log, engine = tmp_path / "engine", tmp_path / "bin" / "docker"
    engine.parent.mkdir()
    redis = shutil.which("redis-server")
    engine.write_text(ENGINE.format(log=log, redis=redis, folder=tmp_path))
    engine.chmod(0o755)
    checkout.environ["PATH"] = f"{engine.parent}:{os.environ['PATH']}"
    assert checkout.services("start", "redis").returncode == 0
    assert answers(checkout.lines["REDIS_URL"])
    assert "Redis: runs." in checkout.services("start", "redis").stdout
    secret = urlsplit(checkout.lines["REDIS_URL"]).password or "no secret"
    assert checkout.services("stop").returncode == 0
    assert checkout.services("clear").returncode == 0
    words = log.read_text()
    verbs = [line.split()[0] for line in words.splitlines()]
    assert verbs == ["info", "container", "run", "stop", "stop", "rm"]
    assert "redis:7" in words
    assert secret not in words


def test_one_that_the_environment_names_is_taken(
    checkout: Checkout, services: Services
) -> None:
    """Nothing is started beside it, and stopping leaves it alone."""
    named = services.line("REDIS_URL")
    checkout.environ["REDIS_URL"] = named
    taken = checkout.services("start", "redis")
    assert "Redis: taken from REDIS_URL." in taken.stdout
    assert checkout.lines == {"REDIS_URL": named}
    assert list((checkout.door / "processes").iterdir()) == []
    checkout.services("stop")
    assert answers(named)


def test_a_named_one_that_is_away_is_said_and_replaced(
    checkout: Checkout, free_port: int
) -> None:
    checkout.environ["REDIS_URL"] = f"redis://127.0.0.1:{free_port}/0"
    replaced = checkout.services("start", "redis")
    assert replaced.returncode == 0
    assert "the one that REDIS_URL names is of no use" in _flat(replaced.stdout)
    assert answers(checkout.lines["REDIS_URL"])


def test_what_can_not_be_had_is_said_and_counted(
    checkout: Checkout, tmp_path: Path
) -> None:
    """The exit code tells, and the last sentence says what to install."""
    checkout.environ["PATH"] = str(tmp_path)
    refused = checkout.services("start", "redis")
    assert refused.returncode == 1
    assert "Redis CAN'T BE HAD" in refused.stderr
    assert "apt-get install redis-server" in refused.stderr
    assert checkout.lines == {}


def _flat(text: str) -> str:
    return " ".join(text.split())
