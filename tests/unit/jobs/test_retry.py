"""Trying what failed once more, and looking at jobs."""

from __future__ import annotations

import pytest

from pixtools.domain.errors import (
    InvalidRequest,
    JobConflict,
    JobNotFound,
    SourceMissing,
)
from pixtools.domain.ids import is_id
from pixtools.jobs.cancel import cancel
from pixtools.jobs.ports.facts import JobQuery
from pixtools.jobs.read import events_after, get_job, list_jobs
from pixtools.jobs.retry import retry
from pixtools.jobs.submit import IdempotencyKey
from pixtools.testing.house import FACTS, RESIZED, House

TO_PNG = {"id": "web", "action": "convert", "format": "png"}


def test_what_failed_is_tried_as_a_new_job(house: House) -> None:
    """With the failed steps only; the old job stays as it ended."""
    house.renderer.bad = {"web": "encode_failed"}
    old = house.submit(RESIZED, TO_PNG, FACTS, webhook_url="https://example.org/")
    house.work()
    ended = house.job(old.id)
    house.renderer.bad = {}
    new = retry(house.service, "default", old.id).job
    assert (new.retry_of, new.status, new.webhook_url) == (
        old.id,
        "queued",
        old.webhook_url,
    )
    assert [step["id"] for step in new.pipeline] == ["web"]
    house.work()
    assert house.job(new.id).status == "succeeded"
    assert house.job(old.id) == ended


def test_the_source_is_the_new_jobs_own(house: House) -> None:
    """The old one may expire meanwhile."""
    old = house.submit()
    cancel(house.service, "default", old.id)
    new = retry(house.service, "default", old.id).job
    house.blobs.delete(old.source.key)
    house.work()
    assert house.job(new.id).status == "succeeded"


def test_facts_that_were_not_read_are_read_again(house: House) -> None:
    old = house.submit(FACTS)
    cancel(house.service, "default", old.id)
    new = retry(house.service, "default", old.id).job
    house.work()
    assert house.job(new.id).facts


def test_only_failures_of_ended_jobs_are_retried(house: House) -> None:
    job = house.submit()
    with pytest.raises(JobConflict):
        retry(house.service, "default", job.id)
    house.work()
    with pytest.raises(JobConflict):
        retry(house.service, "default", job.id)
    with pytest.raises(JobNotFound):
        retry(house.service, "acme", job.id)


def test_a_retry_can_be_repeated_safely(house: House) -> None:
    """Under one idempotency key there is one new job, and one copy."""
    old = house.submit()
    cancel(house.service, "default", old.id)
    key = IdempotencyKey("key", "same")
    first = retry(house.service, "default", old.id, idempotency=key)
    again = retry(house.service, "default", old.id, idempotency=key)
    assert (again.job.id, again.replayed) == (first.job.id, True)
    assert len(house.blobs.keys()) == 2


def test_a_source_that_is_gone_can_not_be_retried(house: House) -> None:
    old = house.submit()
    cancel(house.service, "default", old.id)
    house.blobs.delete("raw/")
    with pytest.raises(SourceMissing):
        retry(house.service, "default", old.id)
    assert house.blobs.keys() == []


def test_a_list_goes_on_where_it_stopped(house: House) -> None:
    jobs = [house.submit() for _ in range(5)]
    found: list[str] = []
    cursor = None
    for _ in range(3):
        query = JobQuery(tenant="default", limit=2, cursor=cursor)
        page = list_jobs(house.service, query)
        found += [job.id for job in page.jobs]
        cursor = page.next_cursor
    assert found == [job.id for job in reversed(jobs)]
    assert cursor is None


def test_a_list_has_bounds(house: House) -> None:
    """At least one, at most a hundred, and no made-up cursor."""
    for _ in range(101):
        house.submit()
    everything = JobQuery(tenant="default", limit=5000)
    assert len(list_jobs(house.service, everything).jobs) == 100
    assert len(list_jobs(house.service, JobQuery(tenant="default", limit=0)).jobs) == 1
    with pytest.raises(InvalidRequest):
        list_jobs(house.service, JobQuery(tenant="default", cursor="' OR 1"))


def test_a_job_is_seen_by_its_tenant_only(house: House) -> None:
    job = house.submit(tenant="acme")
    assert is_id(job.id)
    for job_id in (job.id, "no-such-job", job.id.upper()):
        with pytest.raises(JobNotFound):
            get_job(house.service, "default", job_id)
        with pytest.raises(JobNotFound):
            events_after(house.service, "default", job_id, 0)
    assert len(events_after(house.service, "acme", job.id, 0)) == 1
    assert events_after(house.service, "acme", job.id, 1) == []
