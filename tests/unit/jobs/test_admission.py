"""Whether one more job may wait, and when to ask again if it may not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pixtools.domain.errors import QueueFull, TenantShareExceeded
from pixtools.domain.pipeline import Pipeline
from pixtools.jobs.admission import admit
from pixtools.jobs.retry import retry
from pixtools.jobs.start import start
from pixtools.jobs.submit import (
    IdempotencyKey,
    Intake,
    Order,
    announce,
    submit_upload,
)
from pixtools.testing.house import RESIZED, House, tiny_gif
from pixtools.testing.memory_blobs import MemoryBlobs

ORDER = Order(pipeline=Pipeline.parse([RESIZED]))


def test_a_full_queue_takes_no_more(house: House) -> None:
    """Neither before the bytes nor, if it filled meanwhile, after them."""
    house.rule(queue_size=2)
    house.submit()
    admit(house.service, "default")
    intake = Intake.begin(house.service, "default")
    intake.write(tiny_gif())
    last = house.submit()
    with pytest.raises(QueueFull):
        admit(house.service, "default")
    with pytest.raises(QueueFull):
        submit_upload(house.service, ORDER, intake)
    assert len(house.blobs.keys()) == 2
    house.work()
    assert house.job(last.id).terminal
    admit(house.service, "default")


def test_one_tenant_has_a_share_of_the_queue(house: House) -> None:
    """And at least one job, however small the share."""
    house.rule(queue_size=4, tenant_share=0.5)
    house.submit(tenant="me")
    house.submit(tenant="me")
    with pytest.raises(TenantShareExceeded):
        admit(house.service, "me")
    with pytest.raises(TenantShareExceeded):
        house.submit(tenant="me")
    house.submit(tenant="you")
    house.rule(tenant_share=0.001)
    admit(house.service, "them")


def refused_until(house: House, tenant: str = "default") -> float | None:
    """In how many seconds a refused client is asked to come back."""
    with pytest.raises((QueueFull, TenantShareExceeded)) as refused:
        admit(house.service, tenant)
    return refused.value.retry_after


@pytest.mark.parametrize(
    ("waiting", "ended", "seconds"),
    [(20, 60, 10), (20, 20, 30), (20, 15, 40), (20, 1, 60), (20, 0, 60), (2, 90, 1)],
)
def test_who_is_refused_comes_back_when_half_of_the_queue_has_drained(
    house: House, waiting: int, ended: int, seconds: float
) -> None:
    """At the pace of the last minute; in a second at least, in a minute at most."""
    for _ in range(ended):
        house.submit()
    house.work()
    house.clock.advance(59)
    house.rule(queue_size=waiting)
    for _ in range(waiting):
        house.submit()
    assert refused_until(house) == seconds


def test_what_ended_longer_ago_is_no_measure(house: House) -> None:
    house.rule(queue_size=60)
    for _ in range(60):
        house.submit()
    house.work()
    for _ in range(60):
        house.submit()
    house.clock.advance(59)
    assert refused_until(house) == 30
    house.clock.advance(1)
    assert refused_until(house) == 60


def test_a_tenants_own_jobs_are_its_measure(house: House) -> None:
    house.rule(queue_size=40, tenant_share=0.25)
    for tenant, ended in (("me", 10), ("you", 10)):
        for _ in range(ended):
            house.submit(tenant=tenant)
    house.work()
    for _ in range(10):
        house.submit(tenant="me")
    assert refused_until(house, "me") == 30


def test_a_repeated_request_is_answered_though_the_queue_is_full(house: House) -> None:
    """It adds no job; only one that was never heard of would."""
    house.rule(queue_size=1)
    job = house.submit(key="k")
    admit(house.service, "default", "k")
    assert house.submit(key="k").id == job.id
    with pytest.raises(QueueFull):
        admit(house.service, "default", "other")
    with pytest.raises(QueueFull):
        admit(house.service, "another tenant", "k")


class Untouched(MemoryBlobs):
    """A store that nobody may look at once it is closed."""

    closed = False

    def _reach(self) -> None:
        assert not self.closed, "nothing may be asked of the store"
        super()._reach()


def announced_then_started(house: House) -> Callable[[], object]:
    job = announce(house.service, ORDER).job
    return lambda: start(house.service, "default", job.id)


def failed_then_retried(house: House) -> Callable[[], object]:
    house.renderer.bad = {"small": "encode_failed"}
    job = house.submit()
    house.work()
    key = IdempotencyKey("k", "same")
    return lambda: retry(house.service, "default", job.id, idempotency=key)


@pytest.mark.parametrize("story", [announced_then_started, failed_then_retried])
def test_a_full_queue_refuses_before_the_store_is_asked(
    story: Callable[[House], Callable[[], object]],
) -> None:
    blobs = Untouched()
    house = House(blobs=blobs)
    again = story(house)
    house.rule(queue_size=1)
    house.submit()
    blobs.closed = True
    with pytest.raises(QueueFull) as refused:
        again()
    assert refused.value.retry_after
