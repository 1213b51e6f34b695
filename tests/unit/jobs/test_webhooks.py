"""A job's end is an event, written with the end itself, once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.jobs.looks import deliveries

from pixtools.domain.job import JobStatus
from pixtools.jobs.cancel import cancel
from pixtools.jobs.erase import erase
from pixtools.jobs.retry import retry
from pixtools.testing.house import FACTS, RESIZED, House
from pixtools.testing.memory_work import NO_IMAGE

HOOK = "https://example.org/hook"
TO_PNG = {"id": "png", "action": "convert", "format": "png"}


def told(house: House, job_id: str) -> dict[str, object]:
    (delivery,) = deliveries(house, job_id)
    event: dict[str, object] = json.loads(delivery.body)
    assert event["type"] == delivery.event
    return event


@pytest.mark.parametrize(
    ("data", "bad", "status"),
    [
        (None, {}, "succeeded"),
        (None, {"png": "encode_failed"}, "partial"),
        (b"GIF89a\x10\0\x10\0\0\0\0" + NO_IMAGE, {}, "failed"),
    ],
)
def test_each_end_has_its_event(
    house: House, data: bytes | None, bad: dict[str, str], status: JobStatus
) -> None:
    house.renderer.bad = bad
    job = house.submit(RESIZED, TO_PNG, data=data, webhook_url=HOOK)
    assert deliveries(house, job.id) == []
    house.work()
    ended = house.job(job.id)
    assert ended.status == status
    event = told(house, job.id)
    assert event["type"] == f"job.{status}"
    assert ended.finished_at is not None
    assert event["timestamp"] == ended.finished_at.isoformat().replace("+00:00", "Z")
    data_told = event["data"]
    assert isinstance(data_told, dict)
    assert (data_told["job_id"], data_told["status"]) == (job.id, status)


def test_a_canceled_job_has_one_too(house: House) -> None:
    job = house.submit(webhook_url=HOOK)
    cancel(house.service, "default", job.id)
    cancel(house.service, "default", job.id)
    assert told(house, job.id)["type"] == "job.canceled"


def test_who_asked_for_none_gets_none(house: House) -> None:
    job = house.submit()
    house.work()
    assert deliveries(house, job.id) == []
    assert house.job(job.id).webhook is None


def test_the_archive_is_told_of_though_it_comes_after_the_end(house: House) -> None:
    """The first attempt waits for it a little; then the event is due at once."""
    house.rule(ahead_bytes=0)
    job = house.submit(webhook_url=HOOK)
    assert house.step() is not None  # pictures are made, the archive is claimed
    (delivery,) = deliveries(house, job.id)
    assert delivery.run_at == house.clock.now() + house.rules.webhooks.grace
    house.clock.advance(61)
    house.work()
    house.service.rest(0)
    (settled,) = deliveries(house, job.id)
    assert settled.id == delivery.id


def test_an_event_goes_out_with_its_archive(house: House) -> None:
    job = house.submit(webhook_url=HOOK)
    house.work()
    (delivery,) = deliveries(house, job.id)
    assert delivery.run_at == house.clock.now()
    data = told(house, job.id)["data"]
    assert isinstance(data, dict)
    assert data["archive"]["status"] == "succeeded"
    assert data["archive"]["url"]


def test_links_lead_to_where_the_client_reached_us(house: House) -> None:
    links = house.service.links

    class Paths:
        def download(self, *args: str) -> object:
            return "/files/x?token=y", house.clock.now()

        upload = links.upload

    house.service = replace(house.service, links=Paths())  # type: ignore[arg-type] # a twin's twin
    job = house.submit(webhook_url=HOOK, webhook_base="https://pix.example")
    house.work()
    (delivery,) = deliveries(house, job.id)
    assert '"url":"https://pix.example/files/x?token=y"' in delivery.body


def test_an_erased_job_leaves_no_event(house: House) -> None:
    job = house.submit(webhook_url=HOOK)
    erase(house.service, "default", job.id)
    assert deliveries(house, job.id) == []


def test_work_done_again_tells_nothing_twice(house: House) -> None:
    """A worker that died after its commit leaves nothing to be told again."""
    job = house.submit(webhook_url=HOOK)
    house.work()
    (first,) = deliveries(house, job.id)
    house.clock.advance(timedelta(minutes=5))
    house.work()
    assert deliveries(house, job.id) == [first]


def test_a_retry_is_a_new_job_and_a_new_event(house: House) -> None:
    house.renderer.bad = {"png": "encode_failed"}
    job = house.submit(
        RESIZED, TO_PNG, FACTS, webhook_url=HOOK, webhook_base="https://b"
    )
    house.work()
    house.renderer.bad = {}
    again = retry(house.service, "default", job.id).job
    house.work()
    (first,), (second,) = deliveries(house, job.id), deliveries(house, again.id)
    assert first.webhook_id != second.webhook_id
    assert again.webhook is not None
    assert again.webhook.base == "https://b"


def test_whoever_tells_is_woken(house: House) -> None:
    house.submit(webhook_url=HOOK)
    before = len(house.bell.lanes)
    house.work()
    assert ("deliveries",) in house.bell.lanes[before:]
