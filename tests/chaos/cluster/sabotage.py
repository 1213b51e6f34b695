"""Ways to break a cluster while it works; several may happen at once.

Each waits for random moments of its run, counted in jobs and not in seconds.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

import amqp
import psutil
from tests.chaos.cluster.house import LEASE_SECONDS, House
from tests.chaos.cluster.releases import NEXT, NEXT_BUT_ONE
from tests.chaos.cluster.run import Run

from pixtools.testing.faulty_proxy import (
    Answer,
    CutAnswer,
    CutRequest,
    Fault,
    Hang,
    Request,
)

Sabotage = Callable[[House, Run], None]

NOBODY: Final = "01900000-0000-7000-8000-000000000000"
TOKEN: Final = {"v": 1, "stage_id": NOBODY}
RENDER: Final = "pixtools.render.v1"
POISON: Final[Sequence[tuple[str | None, Any, dict[str, Any]]]] = (
    ("pixtools.render.v9", {"v": 9, "stage_id": NOBODY}, {}),
    (RENDER, {"v": 2, "stage_id": NOBODY}, {}),
    (RENDER, {"v": 1}, {}),
    (RENDER, {**TOKEN, "why": "not"}, {}),
    ("os.system", TOKEN, {}),
    (None, TOKEN, {}),
    (RENDER, TOKEN, {"body": b"{not json"}),
    (RENDER, TOKEN, {"content_type": "application/x-python-serialize"}),
)
"""Task, keyword arguments, and what else is wrong with a message."""


def kill(role: str, times: int = 4) -> Sabotage:
    """SIGKILL one of a role's processes and start it again, so many times."""

    def sabotage(house: House, run: Run) -> None:
        for at in run.moments(times):
            wait = run.when_ended if role == "worker" else run.when_accepted
            wait(at)
            name = run.dice.choice(house.cluster.names(role))
            house.cluster.kill(name)
            run.note(f"{role} killed")
            house.cluster.restart(name)

    return sabotage


def kill_pixel_children(house: House, run: Run) -> None:
    """SIGKILL a child in the middle of an image, and let its worker find out."""
    for at in run.moments(6):
        run.when_ended(at)
        victims: list[int] = []
        run.eventually(partial(_find_at_work, house, victims), 5)
        if victims:
            os.kill(run.dice.choice(victims), signal.SIGKILL)
            run.note("pixel child killed")


def restart_rabbitmq(house: House, run: Run) -> None:
    """Stop the broker cleanly and start it again."""
    run.when_accepted(*run.moments(1))
    house.servers.stop("rabbitmq")
    run.note("RabbitMQ restarted")
    house.servers.start("rabbitmq")


def purge_queues(house: House, run: Run) -> None:
    """Drop every message that waits, again and again."""
    for at in run.moments(6):
        run.when_accepted(at)
        run.eventually(partial(_purged, house, run), 60)


def stop_redis(house: House, run: Run) -> None:
    """From the first request to the last."""
    house.servers.stop("redis")
    run.note("Redis stopped")


def stop_postgres(house: House, run: Run) -> None:
    """For ten seconds."""
    run.when_accepted(*run.moments(1))
    house.servers.stop("postgres")
    run.note("PostgreSQL stopped for 10 s")
    threading.Event().wait(10)
    house.servers.start("postgres")


def unreliable_store(*faults: Fault, share: float, most: int = 10_000) -> Sabotage:
    """S3 fails at some requests, while jobs are taken in and while they are done."""

    def sabotage(house: House, run: Run) -> None:
        left = [fault for fault in faults for _ in range(most)]

        def plan(request: Request) -> Fault | None:
            if not left or run.dice.random() > share:
                return None
            fault = left.pop(run.dice.randrange(len(left)))
            run.note(NAMES[type(fault)])
            return fault

        first, last = run.moments(2)
        run.when_accepted(first)
        house.break_store(plan)
        run.when_ended(last)
        house.mend_store(plan)

    return sabotage


NAMES: Final[Mapping[type[Fault], str]] = {
    Answer: "request answered 5xx",
    CutRequest: "request cut",
    CutAnswer: "answer cut",
    Hang: "request never answered",
}
ERRORS: Final = unreliable_store(Answer(500), Answer(502), Answer(503), share=0.25)
CUTS: Final = unreliable_store(
    CutRequest(), CutRequest(900), CutAnswer(), CutAnswer(900), share=0.15
)
SILENCE: Final = unreliable_store(Hang(), share=0.05, most=3)


def freeze_workers(house: House, run: Run) -> None:
    """SIGSTOP a worker past its lease, and let it wake."""
    for at in run.moments(2):
        run.when_ended(at)
        name = run.dice.choice(house.cluster.names("worker"))
        with house.frozen(name):
            run.note("worker frozen")
            threading.Event().wait(LEASE_SECONDS * 1.5)


def restart_everything(house: House, run: Run) -> None:
    """SIGTERM to each process and a new start, one after the other."""
    names = list(house.cluster.programs)
    for at, name in zip(run.moments(len(names)), names, strict=True):
        run.when_accepted(at)
        code = house.cluster.stop(name)
        if code:
            run.crowd.wrong.append(f"{name} ended with {code} when it was asked to")
        house.cluster.restart(name)
        run.note("process restarted")


def migrate(house: House, run: Run) -> None:
    """What an operator does before each release, though nothing is new."""
    for at in run.moments(2):
        run.when_accepted(at)
        house.cluster.migrate()
        run.note("migrate")


def poison(house: House, run: Run) -> None:
    """Messages that nobody understands, and a token of nobody, which is none."""
    for at, (task, token, wishes) in zip(run.moments(8), POISON, strict=True):
        run.when_accepted(at)
        run.poison += 1
        house.broker.put("default_queue", task, token, **wishes)
        run.note("poison message")
    house.broker.put("default_queue", RENDER, TOKEN)


def mix_releases(house: House, run: Run) -> None:
    """Workers of the next release understand both versions before one is spoken."""
    for name in house.cluster.names("worker"):
        house.run_as(name, NEXT)
        run.note("worker understands v2")
    run.when_accepted(*run.moments(1))
    house.run_as("scheduler-2", NEXT_BUT_ONE)
    run.note("scheduler speaks v2")


def _purged(house: House, run: Run) -> bool:
    """Purge, unless the broker is away."""
    try:
        run.note("message purged", house.broker.purge())
    except (OSError, amqp.AMQPError):
        return False
    return True


def _find_at_work(house: House, found: list[int]) -> bool:
    """Note the pixel children that compute right now.

    A worker that starts is not in the middle of an image: without a child to begin with
    it ends, as it should.
    """
    for name in filter(house.cluster.works, house.cluster.names("worker")):
        for pid in house.cluster.process(name).pixel_children():
            with suppress(psutil.NoSuchProcess):
                if psutil.Process(pid).status() == psutil.STATUS_RUNNING:
                    found.append(pid)
    return bool(found)
