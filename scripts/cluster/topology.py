"""What runs in a cluster of one machine, and when each process is ready."""

from __future__ import annotations

import re
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.cluster.member import Member

FINISHING_SECONDS = 45.0
"""For workers, that have to finish what they do, or to give it back."""
ML_WORKERS = "1"
"""Denoising takes every core by itself."""
_GREETING = re.compile(r"https?://\S+:\d+")
_ASK_SECONDS = 5.0


def command(*words: str) -> list[str]:
    """The command line of `pixtools …` as this Python runs it."""
    return [sys.executable, "-m", "pixtools", *words]


def ranks(environ: Mapping[str, str], room: Path) -> list[list[Member]]:
    """The processes, in the order in which they end.

    First nothing new is taken in, then what is at work is finished, and last goes who
    announces it. `environ` leads to the servers; `room` is for heartbeats.
    """
    api = Member(name="api", command=command("serve"), environ=environ, ready=_answers)
    one_by_one = {**environ, "WORKERS": ML_WORKERS, **_metrics_port(environ, 1)}
    workers = [
        _worker("worker", "default_queue", environ, room),
        _worker("ml", "ml_inference_queue", one_by_one, room),
    ]
    beats = room / "scheduler.heartbeat"
    scheduler = Member(
        name="scheduler",
        command=command("scheduler"),
        environ={
            **environ,
            **_metrics_port(environ, 2),
            "SCHEDULER_HEARTBEAT_FILE": str(beats),
        },
        ready=lambda member: _beats(beats, member.started),
    )
    return [[api], workers, [scheduler]]


def address(api: Member) -> str | None:
    """Where the API listens, as it says itself."""
    for line in api.heard:
        found = _GREETING.search(line)
        if found:
            return found[0]
    return None


def summary(members: Sequence[Member], url: str) -> list[str]:
    """What a person wants to know when all is up."""
    lines = [f"PixTools' cluster runs at {url} (stop it with Ctrl-C)"]
    for member in members:
        words = " ".join(member.command[3:])
        process = member.process.pid if member.process else "?"
        lines.append(f"  {member.name:10} pixtools {words}  (process {process})")
    lines.append(f"Health: {url}/api/health   API: {url}/docs")
    return lines


def _worker(name: str, lane: str, environ: Mapping[str, str], room: Path) -> Member:
    heartbeat = room / f"{name}.heartbeat"
    return Member(
        name=name,
        command=command("worker", "--queues", lane),
        environ={**environ, "WORKER_HEARTBEAT_FILE": str(heartbeat)},
        ready=lambda member: _beats(heartbeat, member.started),
        seconds=FINISHING_SECONDS,
    )


def _metrics_port(environ: Mapping[str, str], number: int) -> dict[str, str]:
    """One machine has each port once, so METRICS_PORT is the first of three."""
    first = int(environ.get("METRICS_PORT") or 0)
    return {"METRICS_PORT": str(first + number)} if first else {}


def _beats(heartbeat: Path, since: float) -> bool:
    return heartbeat.exists() and heartbeat.stat().st_mtime >= since


def _answers(api: Member) -> bool:
    url = address(api)
    if url is None:
        return False
    asked = urllib.request.Request(f"{url}/api/readyz")
    # A proxy of this machine's knows nothing of our loopback.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(asked, timeout=_ASK_SECONDS) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
