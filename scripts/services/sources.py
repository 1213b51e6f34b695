"""Where a server can be had: named elsewhere, running, as a container, as a process."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from scripts import prepare
from scripts.services import containers, debian, place as places, processes
from scripts.services.errors import CannotServe, NoAnswer
from scripts.services.place import Place
from scripts.services.server import Server

PAUSE = 0.1

Had = dict[str, dict[str, str]]
"""The lines of each server that answers, by its name."""
Lacking = dict[str, str]
"""Why others can't be had, by name."""


def named(here: Place, server: Server) -> dict[str, str] | None:
    """One that runs elsewhere, if the environment names it and it answers."""
    lines = server.taken(os.environ)
    if not lines or lines == server.lines(here):
        return None
    try:
        server.check(lines)
    except NoAnswer as reason:
        prepare.say(
            f"{server.title}: the one that {server.named_by} names is of no use "
            f"({reason}), so another one is looked for."
        )
        return None
    prepare.say(f"{server.title}: taken from {server.named_by}.")
    return lines


def running(here: Place, server: Server) -> dict[str, str] | None:
    """One that was started here before."""
    lines = server.lines(here)
    try:
        server.check(lines)
    except NoAnswer:
        return None
    if not _is_ours(here, server):
        return None
    prepare.say(f"{server.title}: runs.")
    return lines


def from_images(here: Place, servers: list[Server], had: Had) -> None:
    """Containers, where an engine runs; adds what it could have to `had`."""
    engine = containers.engine() if servers else None
    if engine is None:
        return
    names = ", ".join(server.image.name for server in servers)
    prepare.say(f"Taking from {engine}, fetched where they are not there yet: {names}.")

    def launch(server: Server) -> None:
        containers.launch(here, server, engine)
        _wait(here, server)

    failures = together(servers, launch)
    for server in servers:
        if server.name in failures:
            prepare.say(f"{server.title}: no container ({failures[server.name]}).")
            containers.give_up(here, server)
        else:
            had[server.name] = server.lines(here)


def from_programs(
    here: Place, servers: list[Server], had: Had, lacking: Lacking
) -> None:
    """Processes of our own; adds each server to `had` or to `lacking`."""
    lacking.update(_installed(servers))
    ready = [server for server in servers if server.name not in lacking]

    def launch(server: Server) -> None:
        began = time.monotonic()
        stop(here, server)
        _claim_ports(here, server)
        server.launch(processes.enter(here, server.name, server.account))
        _wait(here, server)
        prepare.say(f"{server.title}: started, {time.monotonic() - began:.1f} s.")

    lacking.update(together(ready, launch))
    for server in ready:
        if server.name in lacking:
            stop(here, server)
        else:
            had[server.name] = server.lines(here)


def install(servers: Iterable[Server]) -> None:
    """Install what `from_programs` would; raises CannotPrepare where CI is set."""
    wanted = [server for server in servers if server.missing()]
    rest = wanted and _unnamed(wanted)
    if rest and not containers.engine():
        required = bool(os.environ.get("CI"))
        debian.install(_packages(rest), required=required)


def stop(here: Place, server: Server) -> None:
    """Its processes in their order; a container, if it is one."""
    began = time.monotonic()
    ends = [processes.stop(here, name, server.ends_by) for name in server.processes]
    stopped = containers.stop(here, server)
    if stopped or set(ends) != {"gone"}:
        how = "killed" if "killed" in ends else "stopped"
        prepare.say(f"{server.title}: {how}, {time.monotonic() - began:.1f} s.")


def together(servers: Sequence[Server], do: Callable[[Server], None]) -> Lacking:
    """Do it for all at once; why it failed for some, by name."""

    def tried(server: Server) -> str:
        try:
            do(server)
        except (CannotServe, OSError) as failure:
            return str(failure)
        return ""

    if not servers:
        return {}
    pool = ThreadPoolExecutor(len(servers))
    try:
        reasons = zip(servers, pool.map(tried, servers), strict=True)
        return {server.name: reason for server, reason in reasons if reason}
    finally:
        # Ctrl-C waits for nobody.
        pool.shutdown(wait=False, cancel_futures=True)


def _unnamed(servers: Iterable[Server]) -> list[Server]:
    here = places.open_place()
    return [server for server in servers if not named(here, server)]


def _is_ours(here: Place, server: Server) -> bool:
    by_process = all(processes.lives(here, name) for name in server.processes)
    return by_process or containers.is_marked(here, server)


def _installed(servers: Iterable[Server]) -> Lacking:
    """Install Debian packages for programs that are missing; what stays missing."""
    wanted = [server for server in servers if server.missing()]
    try:
        debian.install(_packages(wanted), required=True)
    except prepare.CannotPrepare as reason:
        return {server.name: str(reason) for server in wanted}
    return {
        server.name: f"{', '.join(absent)} can't be found on this machine"
        for server in servers
        if (absent := server.missing())
    }


def _packages(servers: Iterable[Server]) -> dict[str, str]:
    return {name: why for x in servers for name, why in x.packages.items()}


def _claim_ports(here: Place, server: Server) -> None:
    for name in server.ports:
        if not places.is_free(here.port(name)):
            raise CannotServe(
                f"port {here.port(name)} is taken by a process that is not ours: end "
                f"it, or choose other ports by `make clean`"
            )


def _wait(here: Place, server: Server) -> None:
    """Until it answers; then it gets what clients expect in it."""
    began = time.monotonic()
    while True:
        try:
            server.check(server.lines(here))
            break
        except NoAnswer as reason:
            _refuse_death(here, server)
            if time.monotonic() > began + server.seconds:
                words = _last_words(here, server.processes[0], server)
                raise CannotServe(f"{reason} for {server.seconds:g} s{words}") from None
        time.sleep(PAUSE)
    server.furnish(here)


def _refuse_death(here: Place, server: Server) -> None:
    if containers.is_marked(here, server):
        return
    for name in server.processes:
        if not processes.lives(here, name):
            words = _last_words(here, name, server)
            # As after a machine's sudden end: what it holds was never forced to disk.
            hint = "; if what it holds is damaged, `make clean` begins anew"
            raise CannotServe(f"its process {name} has ended{words}{hint}")


def _last_words(here: Place, name: str, server: Server) -> str:
    room = processes.enter(here, server.name, server.account)
    words = room.last_words(name)
    return f"; it said: {words}" if words else ""
