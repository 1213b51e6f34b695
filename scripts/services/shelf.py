"""Starting and stopping the four servers, each from where it can be had."""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from scripts import prepare
from scripts.services import containers, place as places, sources
from scripts.services.ceph import Ceph
from scripts.services.errors import CannotServe
from scripts.services.place import Place
from scripts.services.postgres import Postgres
from scripts.services.rabbitmq import RabbitMQ
from scripts.services.redis import Redis
from scripts.services.server import Server

SERVERS: Sequence[Server] = (Postgres(), Redis(), RabbitMQ(), Ceph())


def start(names: Sequence[str], *, lent: bool, quiet: bool = False) -> int:
    """Have these servers (none named: all); 1 if one could not be had."""
    here = places.open_place()
    chosen = _chosen(names)
    if not lent:
        _kept(here).touch()
    had: sources.Had = {}
    lacking: sources.Lacking = {}
    for server in chosen:
        found = sources.named(here, server) or sources.running(here, server)
        if found:
            had[server.name] = found
    sources.from_images(here, _without(chosen, had), had)
    sources.from_programs(here, _without(chosen, had), had, lacking)
    text = _noted(here, chosen, had)
    if not lent and not quiet:
        prepare.say(f"The environment that leads to them, also in {here.lines}:")
        print(text, flush=True)
    for server in chosen:
        if server.name in lacking:
            sentence = f"{server.title} CAN'T BE HAD: {lacking[server.name]}."
            print(sentence, file=sys.stderr, flush=True)
    return 1 if lacking else 0


def install(names: Sequence[str]) -> int:
    """Install what `start` would, where that is allowed."""
    sources.install(_chosen(names))
    return 0


def stop(names: Sequence[str], *, lent: bool) -> int:
    """Stop what was started here; with `lent`, only if nobody needs it."""
    here = places.known_place()
    if here is None or (lent and _needed(here)):
        return 0
    chosen = _chosen(names)
    if len(chosen) == len(SERVERS):
        _kept(here).unlink(missing_ok=True)
    failures = sources.together(chosen, lambda server: sources.stop(here, server))
    _noted(here, chosen, {})
    for server, reason in failures.items():
        print(f"{server}: {reason}", file=sys.stderr)
    return 1 if failures else 0


def clear() -> int:
    """Stop everything and forget it, with all data."""
    here = places.known_place()
    if here is not None:
        if stop((), lent=False):
            return 1
        for server in SERVERS:
            containers.remove(here, server)
    places.remove([server.name for server in SERVERS])
    return 0


def _chosen(names: Sequence[str]) -> list[Server]:
    known = {server.name: server for server in SERVERS}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise CannotServe(
            f"Expected some of {', '.join(known)} but received {unknown[0]}."
        )
    return [known[name] for name in names] or list(SERVERS)


def _without(servers: Iterable[Server], had: sources.Had) -> list[Server]:
    return [server for server in servers if server.name not in had]


def _noted(here: Place, chosen: list[Server], had: sources.Had) -> str:
    """Write what leads to those that are had, beside what leads to others."""
    gone = {name for server in chosen for name in server.lines(here)}
    lines = {k: v for k, v in places.read_lines(here).items() if k not in gone}
    for found in had.values():
        lines |= found
    return places.write_lines(here, lines)


def _kept(here: Place) -> Path:
    """There if a person has asked for the servers, and not only tests."""
    return here.door / "kept"


def _needed(here: Place) -> bool:
    """Whether somebody wants them to go on: a person, or tests that still run."""
    if _kept(here).exists():
        return True
    with (here.door / "users").open("w") as users:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
