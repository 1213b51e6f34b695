"""Redis: what may be lost at any time."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Mapping
from typing import ClassVar

from scripts.services import wire
from scripts.services.place import Place
from scripts.services.processes import Room
from scripts.services.server import Image, Server, Variables


class Redis(Server):
    """Token buckets and the breaker's state."""

    name = "redis"
    title = "Redis"
    named_by = "REDIS_URL"
    account = "redis"
    packages: ClassVar[Mapping[str, str]] = {
        "redis-server": "Redis, which keeps rate limits"
    }
    ports = ("redis",)
    processes = ("redis",)
    ends_by = signal.SIGTERM
    seconds = 30.0
    image = Image(
        "redis:7",
        {"redis": 6379},
        command=(
            *("sh", "-c"),
            'exec redis-server --requirepass "$SECRET" --databases 64',
        ),
        environ={"SECRET": "{secret}"},
    )

    def lines(self, place: Place) -> dict[str, str]:
        """Database 0."""
        return {self.named_by: f"redis://:{place.secret}@{place.url('redis')}/0"}

    def taken(self, environ: Variables) -> dict[str, str]:
        """REDIS_URL."""
        url = environ.get(self.named_by)
        return {self.named_by: url} if url else {}

    def check(self, variables: Variables) -> None:
        """It says PONG."""
        wire.redis(variables[self.named_by])

    def missing(self) -> list[str]:
        """The server itself."""
        return [] if shutil.which("redis-server") else ["redis-server"]

    def launch(self, room: Room) -> None:
        """Start it; what it holds survives its restart."""
        settings = {
            "port": room.place.port("redis"),
            "bind": "127.0.0.1",
            "requirepass": room.place.secret,
            "databases": 64,
            "dir": room.path,
            "appendonly": "yes",
            "save": '""',
        }
        text = "".join(f"{name} {value}\n" for name, value in settings.items())
        file = room.write("redis.conf", text)
        room.start(self.name, ["redis-server", file])

    def furnish(self, place: Place) -> None:
        """It is empty, as it should be."""
