"""Senders side by side: who hangs, hangs alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from pixtools.delivery.config import OutboundConfig
from pixtools.delivery.meters import OutboundMeters
from pixtools.delivery.outbound import Outbound
from pixtools.delivery.sender import Sender
from pixtools.domain.webhook import WebhookRules
from pixtools.jobs.deliveries import deliveries_of
from pixtools.net.errors import Unreachable
from pixtools.queue.bell import HouseBell
from pixtools.testing.house import House
from pixtools.testing.memory_jobs import MemoryDatabase
from pixtools.testing.paper_wire import PaperWire, Said, Sent
from pixtools.testing.program import eventually

PATIENCE = 20.0
HANGS = "https://hangs.example/hook"
WELL = "https://well.example/hook"


@pytest.fixture
def bell() -> HouseBell:
    return HouseBell()


@pytest.fixture
def house(house: House, bell: HouseBell) -> House:
    house.service = replace(house.service, bell=bell)
    return house


@contextmanager
def sending(
    house: House,
    wire: PaperWire,
    bell: HouseBell,
    config: OutboundConfig | None = None,
    meters: OutboundMeters | None = None,
) -> Iterator[Outbound]:
    chosen = config or OutboundConfig(senders=8, doubtful=4, backstop=0.05)
    sender = Sender(house.service, wire)
    threads = Outbound(
        house.service, sender, bell.deliveries, "me", config=chosen, meters=meters
    )
    threads.start()
    try:
        yield threads
    finally:
        threads.stop()


def ended(house: House, url: str, count: int = 1) -> list[str]:
    """Jobs that have ended, and whose receiver is to be told."""
    jobs = [house.submit(webhook_url=url).id for _ in range(count)]
    house.work()
    return jobs


def states(house: House, jobs: list[str]) -> set[str]:
    return {
        each.state
        for job in jobs
        for each in deliveries_of(house.service, "default", job)
    }


def test_the_end_of_a_job_is_told_at_once(house: House, bell: HouseBell) -> None:
    """A bell rings with it: nobody waits for the next look."""
    config = OutboundConfig(backstop=3600)
    with sending(house, PaperWire(), bell, config):
        jobs = ended(house, WELL)
        eventually(lambda: states(house, jobs) == {"delivered"}, PATIENCE)


def test_a_receiver_that_hangs_holds_up_no_other(house: House, bell: HouseBell) -> None:
    """It gets four requests at once, and what it holds is none of theirs."""
    release = threading.Event()

    def hang(sent: Sent) -> Said:
        assert release.wait(PATIENCE)
        return Said()

    wire = PaperWire({"hangs.example:443": hang})
    hung = ended(house, HANGS, 12)
    with sending(house, wire, bell) as threads:
        eventually(lambda: wire.most_at_once["hangs.example:443"] == 4, PATIENCE)
        well = ended(house, WELL, 6)
        eventually(lambda: states(house, well) == {"delivered"}, PATIENCE)
        assert states(house, hung) == {"pending"}
        release.set()
        eventually(lambda: states(house, hung) == {"delivered"}, PATIENCE)
        assert wire.most_at_once["hangs.example:443"] == 4
        assert threads.stop()


def test_hosts_that_fail_take_a_part_of_the_senders_at_most(
    house: House, bell: HouseBell
) -> None:
    """However many of them there are."""
    release = threading.Event()
    first = threading.Semaphore(0)
    tried: set[str] = set()

    def fail_then_hang(sent: Sent) -> Said:
        if sent.url not in tried:
            tried.add(sent.url)
            raise Unreachable
        first.release()
        assert release.wait(PATIENCE)
        return Said()

    urls = [f"https://{n}.bad.example/hook" for n in range(8)]
    wire = PaperWire({f"{n}.bad.example:443": fail_then_hang for n in range(8)})
    house.rule(webhooks=WebhookRules(schedule=(0,)))
    house.service = replace(house.service, bell=bell)
    bad = [job for url in urls for job in ended(house, url)]
    config = OutboundConfig(senders=4, doubtful=2, backstop=0.05)
    with sending(house, wire, bell, config):
        for _ in range(2):
            assert first.acquire(timeout=PATIENCE)
        well = ended(house, WELL, 3)
        eventually(lambda: states(house, well) == {"delivered"}, PATIENCE)
        release.set()
        eventually(lambda: states(house, bad) == {"delivered"}, PATIENCE)


def test_who_is_asked_to_stop_begins_nothing_more(
    house: House, bell: HouseBell
) -> None:
    """What hangs is left behind: its lease runs out, and another sends it again."""
    release, began = threading.Event(), threading.Event()

    def hang(sent: Sent) -> Said:
        began.set()
        assert release.wait(PATIENCE)
        return Said()

    wire = PaperWire({"hangs.example:443": hang})
    jobs = ended(house, HANGS)
    config = OutboundConfig(senders=1, stop_within=0.1, backstop=0.05)
    with sending(house, wire, bell, config) as threads:
        assert began.wait(PATIENCE)
        assert not threads.stop()
        more = ended(house, WELL)
        release.set()
        eventually(threads.stop, PATIENCE)
        assert states(house, jobs) == {"delivered"}
        assert states(house, more) == {"pending"}


def test_a_database_that_is_away_for_a_while_costs_nothing(
    house: House, bell: HouseBell
) -> None:
    database = house.database
    assert isinstance(database, MemoryDatabase)
    config = OutboundConfig(backstop=0.05, pause_after_trouble=0.01)
    jobs = ended(house, WELL)
    database.away = True
    with sending(house, PaperWire(), bell, config):
        bell.work(["deliveries"])
        database.away = False
        eventually(lambda: states(house, jobs) == {"delivered"}, PATIENCE)


def test_a_fault_of_ours_stops_no_sender(house: House, bell: HouseBell) -> None:
    """It is one attempt that failed."""

    def break_down(sent: Sent) -> Said:
        raise ZeroDivisionError

    wire = PaperWire({"bad.example:443": break_down})
    config = OutboundConfig(senders=1, backstop=0.05)
    with sending(house, wire, bell, config):
        (bad,) = ended(house, "https://bad.example/")
        eventually(lambda: bool(wire.sent), PATIENCE)
        well = ended(house, WELL)
        eventually(lambda: states(house, well) == {"delivered"}, PATIENCE)
    (listed,) = deliveries_of(house.service, "default", bad)
    assert [each.error for each in listed.attempts] == ["internal error"]


def test_what_came_of_it_is_counted(house: House, bell: HouseBell) -> None:
    """By the contract's names."""

    registry = CollectorRegistry()
    house.rule(webhooks=WebhookRules(threshold=1, schedule=(3600,)))
    house.service = replace(house.service, bell=bell)
    wire = PaperWire({"bad.example:443": lambda _: Said(status=500)})
    with sending(house, wire, bell, meters=OutboundMeters(registry)):
        ended(house, "https://bad.example/")
        ended(house, WELL)
        name = "pixtools_webhook_deliveries_total"

        def count(result: str) -> float | None:
            return registry.get_sample_value(name, {"result": result})

        eventually(lambda: (count("delivered"), count("retried")) == (1, 1), PATIENCE)
    turned = {"from": "closed", "to": "open"}
    name = "pixtools_webhook_circuit_transitions_total"
    assert registry.get_sample_value(name, turned) == 1
