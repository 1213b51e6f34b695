"""Schedulers on real servers: every wake-up is passed on, whatever breaks meanwhile."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.integration.queue.hands import PATIENCE, Rabbit, patient, wakeups
from tests.integration.queue.proxy import proxied

from pixtools.domain.errors import BrokerUnavailable
from pixtools.domain.job import Lane, Wakeup
from pixtools.jobs.relay import relay
from pixtools.jobs.service import Service
from pixtools.persistence.config import PersistenceConfig
from pixtools.persistence.database import SqlDatabase
from pixtools.persistence.migrate import migrate
from pixtools.queue.bell import HouseBell
from pixtools.queue.broker import Broker
from pixtools.queue.config import BrokerConfig, SchedulerConfig
from pixtools.queue.scheduler import Post, Scheduler, SchedulerDuties
from pixtools.testing.house import House
from pixtools.testing.program import eventually

NEVER = 3600.0


@dataclass
class Outbox:
    """Wake-ups in memory, forgotten once `post` has returned, as `jobs.relay` does."""

    waiting: list[Wakeup] = field(default_factory=list)
    due: dict[Lane, int] = field(default_factory=dict)
    looks: int = 0
    reaped: threading.Event = field(default_factory=threading.Event)
    expired: threading.Event = field(default_factory=threading.Event)

    def relay(self, post: Post) -> int:
        try:
            taken = self.waiting[:100]
            if taken:
                post(taken)
            self.waiting = self.waiting[len(taken) :]
            return len(taken)
        finally:
            self.looks += 1  # last: who has seen it may give us more

    def due_in(self) -> timedelta | None:
        if not self.waiting:
            return None
        return self.waiting[0].due_at - datetime.now(UTC)

    def reap(self) -> int:
        self.reaped.set()
        return 2

    def expire(self) -> int:
        self.expired.set()
        return 0

    def duties(self) -> SchedulerDuties:
        return SchedulerDuties(
            relay=self.relay,
            due_in=self.due_in,
            due=lambda: self.due,
            reap=self.reap,
            expire=self.expire,
        )


@contextmanager
def scheduling(
    url: str, duties: SchedulerDuties, bell: HouseBell, **config: float
) -> Iterator[Scheduler]:
    times = {"backstop": NEVER, "reconcile": NEVER, "reap": NEVER} | config
    times |= {"longest_pause": 0.5, "stop_within": PATIENCE}
    made = Scheduler(SchedulerConfig(broker=patient(url), **times), duties, bell)  # type: ignore[arg-type] # all are times
    made.start()
    try:
        yield made
    finally:
        assert made.stop()


def test_a_ring_sends_wakeups_at_once_and_silence_costs_no_looks(
    rabbit: Rabbit,
) -> None:
    outbox, bell = Outbox(), HouseBell()
    with scheduling(rabbit.url, outbox.duties(), bell):
        eventually(lambda: outbox.looks == 1, PATIENCE)
        outbox.waiting = wakeups(250)
        bell.work()
        rabbit.eventually_ready(250)
        eventually(lambda: outbox.looks == 5, PATIENCE)
        assert outbox.reaped.wait(PATIENCE)
        assert outbox.expired.wait(PATIENCE)
        assert outbox.looks == 5  # the first, three with wake-ups, one that was empty


def test_without_a_ring_the_backstop_finds_them(rabbit: Rabbit) -> None:
    outbox = Outbox()
    with scheduling(rabbit.url, outbox.duties(), HouseBell(), backstop=0.05):
        outbox.waiting = wakeups(1)
        rabbit.eventually_ready(1)


def test_while_the_broker_is_away_the_relay_waits_and_loses_nothing(
    rabbit: Rabbit, caplog: pytest.LogCaptureFixture
) -> None:
    outbox, bell = Outbox(), HouseBell()
    with proxied(rabbit.url) as (wire, url):
        wire.cut()
        with scheduling(url, outbox.duties(), bell, reconcile=0.1) as scheduler:
            meter = scheduler.meters.registry.get_sample_value
            outbox.waiting = wakeups(30)
            bell.work()
            lag = "pixtools_outbox_lag_seconds"
            eventually(lambda: bool(meter(lag)), PATIENCE)
            for _ in range(50):
                bell.work()
            assert outbox.looks < 20  # it rests, however often the bell rings
            assert meter("pixtools_rabbitmq_up") == 0
            assert outbox.reaped.wait(PATIENCE)
            eventually(lambda: {*who_waits(caplog)} == {"relay", "observe"}, PATIENCE)
            wire.mend()
            rabbit.eventually_ready(30)
            eventually(lambda: meter("pixtools_rabbitmq_up") == 1, PATIENCE)
    assert outbox.waiting == []
    assert sorted(who_waits(caplog)) == ["observe", "relay"]


def who_waits(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The duties that have said that they wait."""
    said = [r for r in list(caplog.records) if r.getMessage() == "duty_waits"]
    return [record.__dict__["duty"] for record in said]


def test_a_purged_queue_is_filled_again_while_work_is_due(rabbit: Rabbit) -> None:
    outbox = Outbox(due={"default_queue": 5})
    rabbit.broker.post(wakeups(5))
    with scheduling(rabbit.url, outbox.duties(), HouseBell(), reconcile=0.05):
        rabbit.purge()
        rabbit.eventually_ready(5)
        outbox.due = {}


def test_a_scheduler_measures_what_it_sees(rabbit: Rabbit) -> None:
    outbox = Outbox(due={"default_queue": 5})
    rabbit.broker.post(wakeups(5))
    with scheduling(rabbit.url, outbox.duties(), HouseBell(), reconcile=0.05) as made:
        meter = made.meters.registry.get_sample_value
        queue = {"queue": "default_queue"}
        eventually(lambda: meter("pixtools_rabbitmq_up") == 1, PATIENCE)
        eventually(lambda: meter("pixtools_queue_depth", queue) == 5, PATIENCE)
        assert meter("pixtools_queue_consumers", queue) == 0
        assert meter("pixtools_dead_letters", queue) == 0
        assert meter("pixtools_outbox_lag_seconds") == 0
        eventually(lambda: meter("pixtools_leases_reclaimed_total") == 2, PATIENCE)


def test_a_scheduler_works_until_it_is_asked_to_stop(rabbit: Rabbit) -> None:
    outbox = Outbox(waiting=wakeups(2))
    config = SchedulerConfig(
        broker=patient(rabbit.url), reap=NEVER, stop_within=PATIENCE
    )

    def ask_once_it_works() -> None:
        rabbit.eventually_ready(2)
        assert outbox.reaped.wait(PATIENCE)
        os.kill(os.getpid(), signal.SIGTERM)

    asking = threading.Thread(target=ask_once_it_works)
    asking.start()
    before = threading.active_count()
    Scheduler(config, outbox.duties(), HouseBell()).run()
    asking.join()
    assert threading.active_count() < before


@pytest.fixture
def house(postgres_url: str) -> Iterator[House]:
    """A service whose facts are in PostgreSQL."""
    config = PersistenceConfig(url=postgres_url)
    migrate(config)
    database = SqlDatabase(config)
    yield House(database=database)
    database.close()


def duties_of(service: Service, relayed: list[int]) -> SchedulerDuties:
    """The verb as it is wired, and a note of what it did."""

    def pass_on(post: Post) -> int:
        relayed.append(relay(service, post, limit=20))
        return relayed[-1]

    def due_in() -> timedelta | None:
        with service.database.read() as tx:
            due = tx.outbox.next_due()
        return None if due is None else due - service.clock.now()

    return SchedulerDuties(
        relay=pass_on,
        due_in=due_in,
        due=dict,
        reap=lambda: 0,
        expire=lambda: 0,
    )


def test_two_schedulers_pass_each_wakeup_on_once(rabbit: Rabbit, house: House) -> None:
    bell = HouseBell()
    first, second = list[int](), list[int]()
    waiting = [replace(each, due_at=house.clock.now()) for each in wakeups(400)]
    with (
        scheduling(rabbit.url, duties_of(house.service, first), bell, backstop=0.02),
        scheduling(rabbit.url, duties_of(house.service, second), bell, backstop=0.02),
    ):
        with house.database.write() as tx:
            tx.outbox.add(waiting)
        bell.work()
        eventually(lambda: sum(first) + sum(second) == 400, PATIENCE)
    assert rabbit.ready() == 400
    with house.database.read() as tx:
        assert tx.outbox.next_due() is None


def test_what_could_not_be_posted_stays_in_the_outbox(
    rabbit: Rabbit, house: House
) -> None:
    """The transaction that took it is undone; so it is after a kill, too."""
    broker = Broker(BrokerConfig(url="amqp://127.0.0.1:1", connect_within=0.2))
    waiting = [replace(each, due_at=house.clock.now()) for each in wakeups(3)]
    with house.database.write() as tx:
        tx.outbox.add(waiting)
    with pytest.raises(BrokerUnavailable):
        relay(house.service, broker.post)
    assert relay(house.service, rabbit.broker.post) == 3
    assert rabbit.ready() == 3
