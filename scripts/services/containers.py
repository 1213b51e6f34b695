"""The same servers from images, where a container engine really runs."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from scripts.services.errors import CannotServe
from scripts.services.place import USER, Place
from scripts.services.server import Server

ENGINES = ("docker", "podman")
LOOK_SECONDS, PULL_SECONDS, STOP_SECONDS = 10.0, 600.0, 60.0


def engine() -> str | None:
    """The first engine that answers; a client without its service is none."""
    for name in ENGINES:
        if shutil.which(name) and _succeeds([name, "info"], LOOK_SECONDS):
            return name
    return None


def launch(place: Place, server: Server, engine_name: str) -> None:
    """Start the server's container, made on first use; raises CannotServe."""
    name = container(place, server)
    _mark(place, server).write_text(engine_name)
    if _succeeds([engine_name, "container", "inspect", name], LOOK_SECONDS):
        _run([engine_name, "start", name], PULL_SECONDS)
        return
    image = server.image
    values = {
        key: value.format(user=USER, secret=place.secret)
        for key, value in image.environ.items()
    }
    ports = [
        f"--publish={place.url(ours)}:{theirs}" for ours, theirs in image.ports.items()
    ]
    # Names only: values in the command would be seen by everybody.
    names = [f"--env={key}" for key in values]
    command = [engine_name, "run", "--detach", f"--name={name}", *ports, *names]
    _run([*command, image.name, *image.command], PULL_SECONDS, values)


def stop(place: Place, server: Server) -> bool:
    """Stop the server's container if it is one; its data stays in it."""
    if not is_marked(place, server):
        return False
    engine_name = _mark(place, server).read_text()
    command = [engine_name, "stop", "-t", "20", container(place, server)]
    _run(command, STOP_SECONDS)
    return True


def give_up(place: Place, server: Server) -> None:
    """Use no container for it this time; what it held stays, for `remove`."""
    name = container(place, server)
    mark = _mark(place, server)
    _succeeds([mark.read_text(), "stop", "-t", "20", name], STOP_SECONDS)
    mark.rename(mark.with_suffix(".given-up"))


def remove(place: Place, server: Server) -> None:
    """Remove the server's container and what it holds."""
    name = container(place, server)
    mark = _mark(place, server)
    for file in (mark, mark.with_suffix(".given-up")):
        if file.exists():
            command = [file.read_text(), "rm", "--force", "--volumes", name]
            _succeeds(command, STOP_SECONDS)
            file.unlink()


def is_marked(place: Place, server: Server) -> bool:
    """Whether this server is a container."""
    return _mark(place, server).exists()


def container(place: Place, server: Server) -> str:
    """The name of this checkout's container of a server."""
    return f"{USER}-{place.mark}-{server.name}"


def _mark(place: Place, server: Server) -> Path:
    """The file that says that it is a container, and which engine's."""
    return place.records / f"{server.name}.container"


def _succeeds(command: list[str], seconds: float) -> bool:
    try:
        answer = subprocess.run(
            command, capture_output=True, timeout=seconds, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


def _run(
    command: list[str], seconds: float, values: Mapping[str, str] | None = None
) -> None:
    try:
        subprocess.run(
            command,
            env={**os.environ, **(values or {})},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=True,
        )
    except subprocess.CalledProcessError as failure:
        words = failure.stderr.strip().splitlines() or ["it says nothing"]
        raise CannotServe(f"{command[0]} {command[1]} failed: {words[-1]}") from failure
    except (OSError, subprocess.TimeoutExpired) as failure:
        raise CannotServe(f"{command[0]} {command[1]} failed: {failure}") from failure
