"""Worker processes on a real RabbitMQ, and messages for them."""

from __future__ import annotations

import json
import os
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import methodcaller
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import amqp
import httpx2

from pixtools.domain.job import Lane, StageKind, Wakeup
from pixtools.queue.broker import Broker
from pixtools.queue.config import LANES, BrokerConfig
from pixtools.queue.line import Line
from pixtools.queue.topology import EXCHANGE, dead_letters_of
from pixtools.testing.program import Program, eventually

PATIENCE = 60.0
HERE = Path(__file__).parent
ROOT = HERE.parents[2]


def patient(url: str) -> BrokerConfig:
    """For all who are not asked how long they wait: disks may stand still."""
    return BrokerConfig(url=url, connect_within=PATIENCE, answer_within=PATIENCE)


def wakeup(lane: Lane = "default_queue", kind: StageKind = "render") -> Wakeup:
    return Wakeup(
        id=str(uuid.uuid4()),
        stage_id=str(uuid.uuid4()),
        kind=kind,
        lane=lane,
        due_at=datetime.now(UTC),
    )


def wakeups(count: int) -> list[Wakeup]:
    return [wakeup() for _ in range(count)]


@dataclass(slots=True)
class Rabbit:
    """A virtual host of RabbitMQ, and a broker of ours that uses it."""

    url: str
    managed_by: str
    broker: Broker

    def empty(self) -> None:
        """Remove every message that waits, or was held by the worker before."""
        for lane in LANES:
            self.broker.ready(lane)  # declares what is missing
            # Only then the tokens of a worker that was just killed are here again.
            self.eventually_heard_by(0, lane)
            for name in (lane, dead_letters_of(lane)):
                self._channel(methodcaller("queue_purge", name))

    def purge(self) -> None:
        """What an operator does to the queue of the default lane."""
        self._channel(methodcaller("queue_purge", "default_queue"))

    def delete_queue(self, name: str) -> None:
        self._channel(methodcaller("queue_delete", name))

    def publish(
        self,
        body: bytes,
        headers: Mapping[str, object],
        content_type: str = "application/json",
    ) -> None:
        """A message of any kind for the default lane."""
        message = amqp.Message(
            body,
            content_type=content_type,
            content_encoding="utf-8",
            application_headers=dict(headers),
        )
        self._channel(
            lambda channel: channel.basic_publish(message, EXCHANGE, "default_queue")
        )

    def declare(self, name: str, arguments: dict[str, object]) -> None:
        self._channel(
            lambda channel: channel.queue_declare(
                name, durable=True, auto_delete=False, arguments=arguments
            )
        )

    def queues(self) -> set[str]:
        """The names of all queues that outlive a connection."""
        with self._http() as http:
            found = http.get(f"/queues/{self._name}").json()
        return {each["name"] for each in found if not each.get("exclusive")}

    def ready(self, lane: Lane = "default_queue") -> int:
        """How many wait, if any: a queue that is too busy to answer says none."""
        count = 0

        def answered() -> bool:
            nonlocal count
            count = self.broker.ready(lane)
            return count > 0

        eventually(answered, PATIENCE)
        return count

    def eventually_ready(self, count: int, lane: Lane = "default_queue") -> None:
        self._eventually(self.broker.ready, count, lane)

    def eventually_dead(self, count: int, lane: Lane = "default_queue") -> None:
        self._eventually(self.broker.dead_letters, count, lane)

    def eventually_heard_by(self, count: int, lane: Lane = "default_queue") -> None:
        """So many workers listen."""
        self._eventually(self.broker.consumers, count, lane)

    def _eventually(
        self, counted: Callable[[Lane], int], count: int, lane: Lane
    ) -> None:
        eventually(
            lambda: counted(lane) == count,
            PATIENCE,
            lambda: f"{counted(lane)} instead of {count}",
        )

    @contextmanager
    def newcomer(self) -> Iterator[tuple[str, Callable[..., None]]]:
        """Somebody with a password and no rights: their URL, and what lets them in.

        That is said which rights are fewer than all.
        """
        name, key = f"newcomer-{uuid.uuid4().hex}", uuid.uuid4().hex
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        parts = urlsplit(self.url)
        netloc = f"{name}:{key}@{parts.netloc.rpartition('@')[2]}"
        with self._http() as http:
            user, rights = f"/users/{name}", f"/permissions/{self._name}/{name}"
            facts = {"password": key, "tags": ""}
            http.put(user, json=facts).raise_for_status()
            try:
                yield (
                    urlunsplit(parts._replace(netloc=netloc)),
                    lambda **fewer: _done(http.put(rights, json=everything | fewer)),
                )
            finally:
                http.delete(user).raise_for_status()

    @property
    def _name(self) -> str:
        return quote(unquote(urlsplit(self.url).path[1:]), safe="")

    def _channel(self, deed: Callable[[amqp.Channel], object]) -> None:
        line = Line(patient(self.url))
        try:
            deed(line._questions)
        finally:
            line.close()

    def _http(self) -> httpx2.Client:
        parts = urlsplit(self.managed_by)
        who = (unquote(parts.username or ""), unquote(parts.password or ""))
        base = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/api"
        return httpx2.Client(base_url=base, auth=who, timeout=30, trust_env=False)


def _done(answer: httpx2.Response) -> None:
    answer.raise_for_status()


@dataclass(slots=True)
class Hands:
    """One worker process and the folder that it tells everything in."""

    folder: Path
    program: Program

    @property
    def ran(self) -> list[str]:
        """A line for each token that was spent."""
        return self._lines("ran")

    @property
    def given_back(self) -> list[str]:
        return self._lines("given_back")

    @property
    def heartbeat(self) -> Path:
        return self.folder / "heartbeat"

    def start(self) -> None:
        """Start it, and wait until it listens."""
        self.heartbeat.unlink(missing_ok=True)
        self.program.start()
        eventually(self.listens, PATIENCE, self.program.words)

    def hold(self) -> None:
        """Let every look last from now on."""
        (self.folder / "hold").touch()

    def let_go(self) -> None:
        (self.folder / "hold").unlink()

    def eventually_ran(self, count: int) -> None:
        eventually(
            lambda: len(self.ran) >= count,
            PATIENCE,
            lambda: f"{len(self.ran)} of {count}; {self.program.words()}",
        )

    def listens(self) -> bool:
        self.program.refuse_death()
        return self.heartbeat.exists()

    def _lines(self, name: str) -> list[str]:
        file = self.folder / name
        return file.read_text().splitlines() if file.exists() else []


@contextmanager
def hands(
    url: str, folder: Path, *, newer: bool = False, start: bool = True, **config: object
) -> Iterator[Hands]:
    """A worker process for a block; `newer` is of a release to come."""
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        "url": url,
        "folder": str(folder),
        "name": folder.name,
        "newer": newer,
        "config": {"lanes": LANES, **config},
    }
    line = [sys.executable, str(HERE / "worker_process.py"), json.dumps(options)]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    made = Hands(folder, Program(line, {"PYTHONPATH": path}, folder / "said.txt"))
    try:
        if start:
            made.start()
        yield made
    finally:
        made.program.clear()
        sys.stdout.write(f"\n--- {folder.name} said ---\n{made.program.words()}")
