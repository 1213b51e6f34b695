"""RabbitMQ with its management interface, and an epmd of its own."""

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

MANAGED_BY = "RABBITMQ_MANAGEMENT_URL"
# The wrapper on the search path would change to the account `rabbitmq` by `su`.
PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


class RabbitMQ(Server):
    """Wake-ups."""

    name = "rabbitmq"
    title = "RabbitMQ"
    named_by = "RABBITMQ_URL"
    account = "rabbitmq"
    packages: ClassVar[Mapping[str, str]] = {
        "rabbitmq-server": "RabbitMQ, which wakes workers"
    }
    ports = ("amqp", "management", "erlang", "epmd")
    processes = ("rabbitmq", "epmd")
    ends_by = signal.SIGTERM
    seconds = 150.0
    image = Image(
        "rabbitmq:4-management",
        {"amqp": 5672, "management": 15672},
        environ={
            "RABBITMQ_DEFAULT_USER": "{user}",
            "RABBITMQ_DEFAULT_PASS": "{secret}",
        },
    )

    def lines(self, place: Place) -> dict[str, str]:
        """The broker's virtual host `/` and, for tests, its management interface."""
        credentials = f"{USER}:{place.secret}"
        return {
            self.named_by: f"amqp://{credentials}@{place.url('amqp')}/%2F",
            MANAGED_BY: f"http://{credentials}@{place.url('management')}",
        }

    def taken(self, environ: Variables) -> dict[str, str]:
        """RABBITMQ_URL, with RABBITMQ_MANAGEMENT_URL if it is there."""
        if not environ.get(self.named_by):
            return {}
        names = (self.named_by, MANAGED_BY)
        return {name: environ[name] for name in names if environ.get(name)}

    def check(self, variables: Variables) -> None:
        """It speaks AMQP, and its management interface knows the user."""
        wire.amqp(variables[self.named_by])
        if MANAGED_BY in variables:
            wire.management(variables[MANAGED_BY])

    def missing(self) -> list[str]:
        """The server's script, and Erlang's directory of nodes."""
        absent = [] if PROGRAM.exists() else ["rabbitmq-server"]
        return absent if shutil.which("epmd") else [*absent, "epmd"]

    def launch(self, room: Room) -> None:
        """Start the directory of nodes first: the broker would start one unseen."""
        port = str(room.place.port("epmd"))
        room.start("epmd", ["epmd", "-address", "127.0.0.1", "-port", port])
        room.start(self.name, [PROGRAM], _environ(room))

    def furnish(self, place: Place) -> None:
        """The user was made with its first start."""


def _environ(room: Room) -> dict[str, str]:
    place = room.place
    settings = room.write("rabbitmq.conf", _settings(place))
    plugins = room.write("enabled_plugins", "[rabbitmq_management].\n")
    return {
        # Erlang in the foreground, without a shell between it and signals.
        "detached": "1",
        "RABBITMQ_NODENAME": f"{USER}-{place.mark}@localhost",
        "RABBITMQ_NODE_PORT": str(place.port("amqp")),
        "RABBITMQ_DIST_PORT": str(place.port("erlang")),
        "ERL_EPMD_PORT": str(place.port("epmd")),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_CONFIG_FILE": str(settings),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
        "RABBITMQ_MNESIA_BASE": str(room.path / "mnesia"),
        "RABBITMQ_LOG_BASE": str(room.path / "log"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
            "+S 2:2 -kernel inet_dist_use_interface {127,0,0,1}"
        ),
    }


def _settings(place: Place) -> str:
    settings = {
        "listeners.tcp.1": place.url("amqp"),
        "management.tcp.ip": "127.0.0.1",
        "management.tcp.port": place.port("management"),
        "default_user": USER,
        "default_pass": place.secret,
        "vm_memory_high_watermark.absolute": "512MB",
        "log.console": "true",
        "log.file": "false",
    }
    return "".join(f"{name} = {value}\n" for name, value in settings.items())
