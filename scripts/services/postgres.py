"""PostgreSQL: one cluster of databases, by TCP and password only."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from scripts.services import wire
from scripts.services.place import USER, Place
from scripts.services.processes import Room
from scripts.services.server import Image, Server, Variables

DRIVER = "postgresql+psycopg"


class Postgres(Server):
    """Facts."""

    name = "postgres"
    title = "PostgreSQL"
    named_by = "DATABASE_URL"
    account = "postgres"
    packages: ClassVar[Mapping[str, str]] = {
        "postgresql": "PostgreSQL, which keeps jobs and stages"
    }
    ports = ("postgres",)
    processes = ("postgres",)
    # At once, where SIGTERM would wait for clients to go.
    ends_by = signal.SIGINT
    seconds = 90.0
    image = Image(
        "postgres:17",
        {"postgres": 5432},
        environ={"POSTGRES_USER": "{user}", "POSTGRES_PASSWORD": "{secret}"},
    )

    def lines(self, place: Place) -> dict[str, str]:
        """A superuser's URL of the database that bears its name."""
        credentials = f"{USER}:{place.secret}"
        url = f"{DRIVER}://{credentials}@{place.url('postgres')}/{USER}"
        return {self.named_by: url}

    def taken(self, environ: Variables) -> dict[str, str]:
        """DATABASE_URL, unless it names SQLite."""
        url = environ.get(self.named_by, "")
        scheme, _, rest = url.partition("://")
        if scheme.partition("+")[0] not in {"postgresql", "postgres"}:
            return {}
        return {self.named_by: f"{DRIVER}://{rest}"}

    def check(self, variables: Variables) -> None:
        """It takes connections."""
        wire.postgres(variables[self.named_by])

    def missing(self) -> list[str]:
        """Debian keeps the server's programs off the search path."""
        return [name for name in ("initdb", "postgres") if not _program(name)]

    def launch(self, room: Room) -> None:
        """Start it; changes reach the disk before they are answered, as anywhere."""
        data = room.path / "data"
        if not (room.path / "made").exists():
            self._make(room, data)
        settings = {
            "port": room.place.port("postgres"),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": 200,
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        room.start(self.name, [_program("postgres"), "-D", data, *options])

    def furnish(self, place: Place) -> None:
        """Its first database was made with it."""

    def _make(self, room: Room, data: Path) -> None:
        shutil.rmtree(data, ignore_errors=True)
        password = room.write("password", room.place.secret)
        options = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"]
        command = [_program("initdb"), "-D", str(data), "-U", USER, *options]
        room.run([*command, f"--pwfile={password}"], self.seconds)
        password.unlink()
        alone = [_program("postgres"), "--single", "-D", str(data), "postgres"]
        room.run(alone, self.seconds, told=f"CREATE DATABASE {USER}\n")
        room.write("made", "")


def _program(name: str) -> str:
    found = shutil.which(name)
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=_version)
    return found or (str(versions[-1]) if versions else "")


def _version(program: Path) -> int:
    name = program.parents[1].name
    return int(name) if name.isdigit() else 0
