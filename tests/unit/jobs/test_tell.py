"""Telling a client: in time, patiently, and never by another id."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.unit.jobs.looks import deliveries

from pixtools.domain.errors import (
    DeliveryNotFound,
)
from pixtools.domain.webhook import Attempt, WebhookRules
from pixtools.jobs.deliveries import deliveries_of, replay
from pixtools.jobs.erase import erase
from pixtools.jobs.read import document, events_after
from pixtools.jobs.tell import Parcel, Recorded, due_in, give_back, record, take
from pixtools.testing.house import House

HOOK = "https://example.org/hook"


def due(house: House, url: str = HOOK, **wishes: Any) -> str:
    """A job that has ended and wants to be told."""
    job = house.submit(webhook_url=url, **wishes)
    house.work()
    return job.id


def taken(house: House, **how: Any) -> Parcel:
    parcel = take(house.service, "me", **how)
    assert parcel is not None
    return parcel


def said(
    house: House, parcel: Parcel, status: int | None = 500, **how: Any
) -> Recorded:
    """Record what a receiver said."""
    attempt = Attempt(
        delivery_id=parcel.delivery.id,
        number=parcel.delivery.attempt,
        at=house.clock.now(),
        status=status,
        error=None if status else "unreachable",
        ms=5,
        body="x",
    )
    return record(house.service, parcel.delivery, attempt, host_known=True, **how)


def test_a_told_event_is_told(house: House) -> None:
    job_id = due(house)
    assert due_in(house.service) == timedelta()
    assert said(house, taken(house), 204).state == "delivered"
    shown = document(house.service, house.job(job_id)).webhook
    assert shown is not None
    assert (shown.state, shown.attempts, shown.last_status) == ("delivered", 1, 204)
    assert due_in(house.service) is None
    assert take(house.service, "me") is None


def test_retries_follow_the_schedule_and_then_it_has_failed(house: House) -> None:
    """Never earlier, at most a quarter later; the same id each time."""
    house.rule(webhooks=WebhookRules(threshold=99))
    job_id = due(house)
    ids = set()
    for pause in (5, 30, 120, 600, 3600, 21600):
        parcel = taken(house)
        ids.add(parcel.delivery.webhook_id)
        assert said(house, parcel).state == "pending"
        left = due_in(house.service)
        assert left is not None
        assert pause <= left.total_seconds() <= 1.25 * pause
        assert take(house.service, "me") is None
        house.clock.advance(left)
    assert said(house, taken(house)).state == "failed"
    assert len(ids) == 1
    shown = document(house.service, house.job(job_id)).webhook
    assert shown is not None
    assert (shown.state, shown.attempts) == ("failed", 7)
    assert shown.next_attempt_at is None
    (listed,) = deliveries_of(house.service, "default", job_id)
    assert [each.number for each in listed.attempts] == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("status", [301, 302, 400, 404, 429, 500, None])
def test_anything_but_success_is_tried_again(house: House, status: int | None) -> None:
    due(house)
    assert said(house, taken(house), status).state == "pending"


def test_gone_is_for_good(house: House) -> None:
    due(house)
    assert said(house, taken(house), 410).state == "failed"


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [(120, 120, 120), (1, 5, 6.25), (10**9, 86400, 86400)],
)
def test_a_receiver_may_ask_for_time(
    house: House, asked: float, least: float, most: float
) -> None:
    """More than the schedule gives, but not for ever."""
    due(house)
    said(house, taken(house), 503, retry_after=asked)
    left = due_in(house.service)
    assert left is not None
    assert least <= left.total_seconds() <= most


def test_who_dies_while_sending_is_followed_by_another(house: House) -> None:
    """By the same id and body; and what the first one has to say is not heard."""
    due(house)
    first = taken(house)
    assert take(house.service, "other") is None
    house.clock.advance(house.rules.webhooks.lease)
    second = take(house.service, "other")
    assert second is not None
    assert second.delivery.webhook_id == first.delivery.webhook_id
    assert second.delivery.body == first.delivery.body
    assert not said(house, first, 200).kept
    assert said(house, second, 200).state == "delivered"


def test_what_is_given_back_is_due_and_has_cost_nothing(house: House) -> None:
    due(house)
    house.rule(webhooks=WebhookRules(max_attempts=1))
    give_back(house.service, taken(house).delivery)
    parcel = taken(house)
    assert parcel.delivery.counted == 1


def test_the_job_may_be_gone_when_it_was_told(house: House) -> None:
    job_id = due(house)
    parcel = taken(house)
    erase(house.service, "default", job_id)
    assert not said(house, parcel, 200).kept


def test_a_host_that_fails_is_left_alone_then_tried_once(house: House) -> None:
    """Then all goes on, or the next pause begins."""
    for _ in range(8):
        due(house)
    turned = [said(house, taken(house), 502).turned for _ in range(5)]
    assert turned == [(), (), (), (), (("closed", "open"),)]
    assert take(house.service, "me") is None
    house.clock.advance(59)
    assert take(house.service, "me") is None
    house.clock.advance(1)
    trial = taken(house)
    assert trial.doubtful
    assert take(house.service, "me") is None
    assert said(house, trial, None).turned == (
        ("open", "half_open"),
        ("half_open", "open"),
    )
    assert take(house.service, "me") is None
    house.clock.advance(60)
    assert said(house, taken(house), 200).turned == (
        ("open", "half_open"),
        ("half_open", "closed"),
    )
    assert taken(house).doubtful is False


def test_one_hosts_failures_are_not_anothers(house: House) -> None:
    for _ in range(5):
        due(house)
    for _ in range(5):
        said(house, taken(house), 500)
    due(house, "https://well.example/hook")
    assert taken(house).delivery.host == "well.example:443"


def test_a_refusal_by_one_address_says_nothing_of_its_host(house: House) -> None:
    """Who answers 404 is well."""
    for _ in range(7):
        due(house)
        said(house, taken(house), 404)
    due(house)
    assert not taken(house).doubtful


def test_those_who_must_be_quick_pass_over_hosts_that_fail(house: House) -> None:
    due(house)
    said(house, taken(house))
    house.clock.advance(7)
    assert take(house.service, "me", steady=True) is None
    assert taken(house).doubtful


def test_watchers_hear_of_it_and_the_end_comes_last(house: House) -> None:
    job_id = due(house)
    said(house, taken(house))
    house.clock.advance(7)
    said(house, taken(house), 200)
    kinds = [e.kind for e in events_after(house.service, "default", job_id, 0)]
    assert kinds[-3:] == ["webhook", "done", "webhook"]
    assert kinds.count("done") == 1


def test_the_end_waits_for_the_archive_too(house: House) -> None:
    """A receiver may be told before a slow archive is packed."""
    house.rule(ahead_bytes=0)
    job = house.submit(webhook_url=HOOK)
    house.step()
    house.clock.advance(house.rules.webhooks.grace)
    said(house, taken(house), 200)
    kinds = [e.kind for e in events_after(house.service, "default", job.id, 0)]
    assert "done" not in kinds


def test_a_replay_tells_it_again_by_the_same_id(house: House) -> None:
    job_id = due(house)
    first = taken(house)
    said(house, first, 410)
    again = replay(house.service, "default", first.delivery.id)
    assert (again.state, len(again.attempts)) == ("pending", 1)
    second = taken(house)
    assert second.delivery.webhook_id == first.delivery.webhook_id
    assert second.delivery.body == first.delivery.body
    assert said(house, second, 200).state == "delivered"
    (listed,) = deliveries_of(house.service, "default", job_id)
    assert [each.status for each in listed.attempts] == [410, 200]


def test_a_replay_has_all_attempts_before_it(house: House) -> None:
    house.rule(webhooks=WebhookRules(max_attempts=2, threshold=99))
    job_id = due(house)
    for _ in range(2):
        said(house, taken(house))
        house.clock.advance(7)
    (failed,) = deliveries(house, job_id)
    assert failed.state == "failed"
    replay(house.service, "default", failed.id)
    assert said(house, taken(house)).state == "pending"
    house.clock.advance(7)
    assert said(house, taken(house)).state == "failed"


def test_what_is_being_sent_is_not_replayed(house: House) -> None:
    due(house)
    parcel = taken(house)
    replay(house.service, "default", parcel.delivery.id)
    assert take(house.service, "me") is None
    assert said(house, parcel, 200).state == "delivered"


@pytest.mark.parametrize("tenant", ["you", "default"])
def test_another_tenants_delivery_is_not_there(house: House, tenant: str) -> None:
    """Nor is one that nobody knows."""
    job_id = due(house)
    (delivery,) = deliveries(house, job_id)
    delivery_id = delivery.id if tenant == "you" else job_id
    with pytest.raises(DeliveryNotFound):
        replay(house.service, tenant, delivery_id)
    assert deliveries(house, job_id) == [delivery]
