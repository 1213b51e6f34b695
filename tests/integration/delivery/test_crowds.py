"""Ten thousand events for a host that fails, on real databases: who waits for them?"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert
from tests.emptied import empty

from pixtools.delivery.config import OutboundConfig
from pixtools.delivery.outbound import Outbound
from pixtools.delivery.sender import Sender
from pixtools.domain.signature import VALID, verdict
from pixtools.domain.webhook import Delivery, WebhookRules, host_of
from pixtools.jobs.deliveries import deliveries_of
from pixtools.jobs.signing import rotate, secrets_of
from pixtools.net.errors import Unreachable
from pixtools.persistence.config import PersistenceConfig
from pixtools.persistence.database import SqlDatabase
from pixtools.persistence.mapping import job_row, plain_row
from pixtools.persistence.migrate import migrate
from pixtools.persistence.tables import deliveries, jobs
from pixtools.queue.bell import HouseBell
from pixtools.testing.house import House
from pixtools.testing.paper_wire import PaperWire, Said, Sent
from pixtools.testing.program import eventually
from pixtools.testing.rows import a_job, an_id

SECONDS = 30.0
Sending = Callable[[House, PaperWire, HouseBell, str], Outbound]
CROWD = 10_000
BAD = "https://bad.example/hook"


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """A house whose facts rest in a real database."""
    if request.param == "postgresql":
        config = PersistenceConfig(url=request.getfixturevalue("postgres_url"))
        migrate(config)
        empty(config)
    else:
        config = PersistenceConfig(url=f"sqlite:///{tmp_path}/facts.sqlite3")
        migrate(config)
    database = SqlDatabase(config)
    yield House(database=database)
    database.close()


def crowd(
    house: House, url: str, count: int, tenant: str = "default"
) -> list[Delivery]:
    """Events of jobs that have ended, all due."""
    now = house.clock.now()
    made = [a_job(webhook_url=url, created_at=now, tenant=tenant) for _ in range(count)]
    told = [
        Delivery(
            id=an_id(),
            job_id=job.id,
            tenant=tenant,
            event="job.succeeded",
            url=url,
            host=host_of(url),
            body="{}",
            run_at=now - timedelta(hours=1),
            created_at=now,
        )
        for job in made
    ]
    with house.database.write() as tx:
        connection = tx.jobs._connection  # type: ignore[attr-defined] # in bulk
        connection.execute(insert(jobs), [job_row(job) for job in made])
        connection.execute(insert(deliveries), [plain_row(each) for each in told])
    return told


@pytest.fixture
def sending(house: House) -> Iterator[Sending]:
    """Lets senders loose; they end before the house does, also after a failure."""
    config = OutboundConfig(senders=8, doubtful=4, backstop=0.05, stop_within=SECONDS)
    loose: list[Outbound] = []

    def start(at: House, wire: PaperWire, bell: HouseBell, owner: str) -> Outbound:
        sender = Sender(at.service, wire)
        threads = Outbound(at.service, sender, bell.deliveries, owner, config=config)
        loose.append(threads)
        threads.start()
        return threads

    yield start
    for threads in loose:
        threads.stop()


def test_ten_thousand_events_for_a_failing_host_hold_up_nobody(
    house: House, sending: Sending
) -> None:
    """Five failures, then it is left alone: the others' go out on time."""

    def fail(sent: Sent) -> Said:
        raise Unreachable

    wire, bell = PaperWire({host_of(BAD): fail}), HouseBell()
    crowd(house, BAD, CROWD)
    others = [
        each
        for n in range(10)
        for each in crowd(house, f"https://well{n}.example/hook", 3)
    ]
    senders = [sending(house, wire, bell, f"sender-{n}") for n in range(2)]

    def told() -> int:
        with house.database.read() as tx:
            found = [tx.deliveries.get(each.id) for each in others]
        return sum(each is not None and each.state == "delivered" for each in found)

    eventually(lambda: told() == len(others), SECONDS)
    for threads in senders:
        assert threads.stop()
    tried = [each for each in wire.sent if each.url == BAD]
    assert 0 < len(tried) <= house.rules.webhooks.threshold
    assert len(wire.sent) == len(tried) + len(others)


def test_many_hanging_hosts_of_one_tenant_hold_up_no_other(
    house: House, sending: Sending
) -> None:
    """They have senders enough to themselves, and never all."""
    house.rule(webhooks=WebhookRules(per_tenant=6))
    enough = threading.Event()

    def hang(sent: Sent) -> Said:
        enough.wait(SECONDS)
        return Said()

    wire, bell = PaperWire(), HouseBell()
    for n in range(20):
        url = f"https://hangs{n}.example/hook"
        wire.hosts[host_of(url)] = hang
        crowd(house, url, 10)
    others = crowd(house, "https://well.example/hook", 20, tenant="other")
    sending(house, wire, bell, "sender")

    def told() -> int:
        with house.database.read() as tx:
            found = [tx.deliveries.get(each.id) for each in others]
        return sum(each is not None and each.state == "delivered" for each in found)

    eventually(lambda: told() == len(others), SECONDS)
    hanging = [each for each in wire.sent if "hangs" in each.url]
    enough.set()
    assert 0 < len(hanging) <= house.rules.webhooks.per_tenant


def test_keys_may_be_changed_under_load(house: House, sending: Sending) -> None:
    """A receiver that knows the last two secrets never has to refuse.

    They are changed while events are on their way that the last one has signed, and
    not twice while one is: who is sent such an event has it before the next change.
    """
    right: list[str] = []
    wrong: list[str] = []
    known = [*secrets_of(house.service, "default")]
    turn = threading.Lock()

    def check(sent: Sent) -> Said:
        now = house.clock.now()
        with turn:
            verdicts = {
                verdict(sent.headers, sent.body, each, now) for each in known[-2:]
            }
        which = right if VALID in verdicts else wrong
        which.append(sent.headers["webhook-id"])
        return Said()

    wire, bell = PaperWire(), HouseBell()
    urls = [f"https://well{n}.example/hook" for n in range(4)]
    wire.hosts = {host_of(url): check for url in urls}
    events: list[Delivery] = []
    for n in range(2):
        sending(house, wire, bell, f"sender-{n}")
    for _ in range(4):
        with turn:
            before = len(wire.sent)
            for url in urls:
                events.extend(crowd(house, url, 12))
            eventually(lambda before=before: len(wire.sent) > before, SECONDS)  # type: ignore[misc] # bound early
            known.append(rotate(house.service, "default").secret)
        eventually(lambda: len({*right, *wrong}) == len(events), SECONDS)
    assert wrong == []
    assert {*right} == {each.webhook_id for each in events}


@pytest.mark.parametrize("minutes", [-10, 10])
def test_senders_whose_clocks_differ_tell_each_event_by_one_id(
    house: House, sending: Sending, minutes: int
) -> None:
    """Perhaps more than once: one takes the other's leases for lapsed."""
    house.rule(webhooks=WebhookRules(per_host=50))
    events = crowd(house, "https://well.example/hook", 20)
    skewed = House(database=house.database, rules=house.rules)
    skewed.clock.advance(timedelta(minutes=minutes))
    wire, bell = PaperWire(), HouseBell()
    senders = [
        sending(house, wire, bell, "right"),
        sending(skewed, wire, bell, "skewed"),
    ]

    def states() -> set[str]:
        with house.database.read() as tx:
            found = [tx.deliveries.get(each.id) for each in events]
        return {each.state for each in found if each}

    eventually(lambda: states() == {"delivered"}, SECONDS)
    for threads in senders:
        assert threads.stop()
    assert {each.headers["webhook-id"] for each in wire.sent} == {
        each.webhook_id for each in events
    }
    for each in events:
        (listed,) = deliveries_of(house.service, "default", each.job_id)
        assert [attempt.status for attempt in listed.attempts] == [200]
