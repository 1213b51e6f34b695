"""All kinds of hostile receivers at once: each harms its own events and no other's."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from pixtools.delivery.config import OutboundConfig
from pixtools.delivery.outbound import Outbound
from pixtools.delivery.sender import Sender
from pixtools.domain.document import DeliveryDocument
from pixtools.domain.webhook import WebhookRules
from pixtools.jobs.deliveries import deliveries_of
from pixtools.jobs.signing import secrets_of
from pixtools.net.client import Answer, Client
from pixtools.net.config import GuardConfig
from pixtools.net.guard import Guard
from pixtools.queue.bell import HouseBell
from pixtools.testing.certificates import Authority
from pixtools.testing.clock import HandClock
from pixtools.testing.house import House
from pixtools.testing.program import eventually
from pixtools.testing.stranger import (
    ALLOWED,
    Asked,
    Stranger,
    answer_of,
    ok,
    saying,
)
from pixtools.wiring.machine import SystemClock

Answering = Callable[[Asked, socket.socket], None]
SECONDS = 30.0
TIMEOUT = 0.7
"""Longest that one may take of those who never answer."""


def silent(asked: Asked, line: socket.socket) -> None:
    line.settimeout(SECONDS)
    line.recv(1)


def dripping(asked: Asked, line: socket.socket) -> None:
    pause = threading.Event()
    for letter in b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 10_000:
        line.sendall(bytes([letter]))
        pause.wait(0.05)


def pouring(asked: Asked, line: socket.socket) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        line.sendall(bytes(65536))


def flooding(asked: Asked, line: socket.socket) -> None:
    while True:
        line.sendall(b"HTTP/1.1 102 Processing\r\n\r\n" * 1000)


NEVER = ("silent", "drips its head", "floods interim answers")
HOSTILE: dict[str, tuple[bytes | Answering, int | None, str]] = {
    "silent": (silent, None, "pending"),
    "drips its head": (dripping, None, "pending"),
    "floods interim answers": (flooding, None, "pending"),
    "hangs up": (b"", None, "pending"),
    "hangs up within its answer": (b"HTTP/1.1 20", None, "pending"),
    "speaks no HTTP": (b"220 mail.example ESMTP\r\n", None, "pending"),
    "fails": (answer_of(500, b"\0\xff oops"), 500, "pending"),
    "leads elsewhere": (
        answer_of(307, location="http://169.254.169.254/"),
        307,
        "pending",
    ),
    "wants a year": (answer_of(429, retry_after="31536000"), 429, "pending"),
    "is gone": (answer_of(410), 410, "failed"),
    "pours": (pouring, 200, "delivered"),
    "thanks with a bomb": (
        ok(b"\x1f\x8b\x08 a bomb", content_encoding="gzip"),
        200,
        "delivered",
    ),
    "hangs up within its thanks": (
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
        200,
        "delivered",
    ),
}
"""What it says or does, the status that is recorded, and what becomes of its event."""


class Patient(Client):
    """Hurries those who never answer, and nobody whom only a busy machine delays."""

    def __init__(self, guard: Guard, context: ssl.SSLContext) -> None:
        super().__init__(guard, context)
        self.never: set[str] = set()
        """The addresses of those who never answer."""

    def post(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes,
        timeout: float,
        keep: int = 2048,
    ) -> Answer:
        """As the rules say to those; to others with a patience of our own."""
        seconds = timeout if url in self.never else SECONDS
        return super().post(url, headers=headers, body=body, timeout=seconds, keep=keep)


@dataclass(slots=True)
class World:
    """A house that sends for real, and receivers that only it can find."""

    house: House
    client: Patient
    strangers: ExitStack
    ports: dict[str, Stranger]

    def meet(self, name: str, answer: bytes | Answering) -> Stranger:
        how = saying(answer) if isinstance(answer, bytes) else answer
        stranger = self.strangers.enter_context(Stranger(how))
        self.ports[name] = stranger
        if name in NEVER:
            self.client.never.add(stranger.url("/hook"))
        return stranger

    def told(self, stranger: Stranger) -> str:
        """A job that has ended, and whose receiver this is."""
        job = self.house.submit(webhook_url=stranger.url("/hook"))
        self.house.work()
        return job.id

    def delivery(self, job_id: str) -> DeliveryDocument:
        (found,) = deliveries_of(self.house.service, "default", job_id)
        return found


@pytest.fixture
def bell() -> HouseBell:
    return HouseBell()


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
def world(bell: HouseBell, authority: Authority) -> Iterator[World]:
    guard = Guard(GuardConfig(networks=(ALLOWED,)), lambda host, port: ("127.0.0.1",))
    house = House(clock=HandClock(SystemClock().now()))
    house.rule(webhooks=WebhookRules(timeout=TIMEOUT))
    house.service = replace(house.service, bell=bell)
    with ExitStack() as strangers:
        yield World(house, Patient(guard, authority.client()), strangers, {})


@pytest.fixture
def sending(world: World, bell: HouseBell) -> Iterator[Outbound]:
    sender = Sender(world.house.service, world.client)
    config = OutboundConfig(backstop=0.1)
    threads = Outbound(
        world.house.service, sender, bell.deliveries, "me", config=config
    )
    threads.start()
    yield threads
    threads.stop()


def test_whatever_receivers_do_the_well_are_told(
    world: World, sending: Outbound, authority: Authority, tmp_path: Path
) -> None:
    """And of the others exactly one attempt is known, in a bounded time."""
    jobs = {
        name: world.told(world.meet(name, answer))
        for name, (answer, *_) in HOSTILE.items()
    }
    wrong = Stranger(saying(ok()), authority.server("other.example", tmp_path))
    jobs["proves to be somebody else"] = world.told(
        world.strangers.enter_context(wrong)
    )
    well = world.meet("well", ok(b"thanks"))
    content = [world.told(well) for _ in range(10)]

    def states(ids: list[str]) -> set[str]:
        return {world.delivery(job_id).state for job_id in ids}

    eventually(lambda: states(content) == {"delivered"}, SECONDS)
    eventually(
        lambda: all(world.delivery(each).attempts for each in jobs.values()), SECONDS
    )
    expected = {name: (status, state) for name, (_, status, state) in HOSTILE.items()}
    expected["proves to be somebody else"] = (None, "pending")
    came = {name: world.delivery(job_id) for name, job_id in jobs.items()}
    assert {
        name: (each.attempts[0].status, each.state) for name, each in came.items()
    } == expected
    for name, each in came.items():
        (attempt,) = each.attempts
        assert attempt.ms < TIMEOUT * 1000 + 5000, name
        assert len(attempt.body.encode()) <= 3 * 2048, name
        assert attempt.error == (None if attempt.status else "unreachable"), name
    for name in HOSTILE:
        assert len(world.ports[name].asked) == 1, name
    assert wrong.asked == []
    secret, *_ = secrets_of(world.house.service, "default")
    for asked in well.asked:
        Webhook(secret).verify(asked.body, dict(asked.headers))


def test_who_wants_a_year_waits_for_a_day(world: World, sending: Outbound) -> None:
    answer = answer_of(429, retry_after="31536000")
    job_id = world.told(world.meet("busy", answer))
    eventually(lambda: bool(world.delivery(job_id).attempts), SECONDS)
    longest = world.delivery(job_id).next_attempt_at
    assert longest is not None
    most = world.house.rules.webhooks.longest_wait
    assert longest - world.house.clock.now() == most


def test_a_receiver_that_moves_inside_is_not_followed(
    world: World, bell: HouseBell
) -> None:
    """Its name was well when the job was given; it is looked up again for each try."""
    answers = iter([("10.0.0.1",)])
    guard = Guard(GuardConfig(), lambda host, port: next(answers))
    job = world.house.submit(webhook_url="http://moves.example/hook")
    world.house.work()
    world.house.rule(webhooks=WebhookRules(timeout=SECONDS))
    sender = Sender(world.house.service, Client(guard))
    threads = Outbound(world.house.service, sender, bell.deliveries, "me")
    threads.start()
    eventually(lambda: bool(world.delivery(job.id).attempts), SECONDS)
    threads.stop()
    (attempt,) = world.delivery(job.id).attempts
    assert (attempt.status, attempt.error) == (None, "refused")
