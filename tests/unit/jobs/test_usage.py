"""What jobs cost is written as they end: once, and all of it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from tests.unit.jobs.looks import raising

from pixtools.domain.errors import InvalidRequest, StorageUnavailable
from pixtools.domain.pipeline import Pipeline
from pixtools.domain.usage import DayUsage
from pixtools.jobs.cancel import cancel
from pixtools.jobs.erase import erase
from pixtools.jobs.expire import expire
from pixtools.jobs.ports.work import Checkpoint
from pixtools.jobs.retry import retry
from pixtools.jobs.submit import Order, announce
from pixtools.jobs.usage import MOST_DAYS, SHOWN_DAYS, usage_by_day
from pixtools.testing.house import RESIZED, House, tiny_gif

TODAY = date(2026, 1, 2)
DAY = timedelta(days=1)
TO_PNG = {"id": "web", "action": "convert", "format": "png"}
LARGE = tiny_gif() + bytes(1000)


def used(house: House, tenant: str = "default") -> DayUsage:
    """All that a tenant has used in the last month."""
    return usage_by_day(house.service, tenant).total


def test_a_job_counts_on_the_day_on_which_it_ended(house: House) -> None:
    """Not on the day on which it came."""
    house.clock.advance(timedelta(hours=20, minutes=55))
    job = house.submit(RESIZED, TO_PNG, data=LARGE)
    house.clock.advance(60)
    house.work()
    report = usage_by_day(house.service, "default", TODAY, TODAY + DAY)
    before, after = report.days
    assert before == DayUsage(day=TODAY)
    ended = house.job(job.id)
    assert (after.day, after.jobs, after.outputs) == (TODAY + DAY, 1, 2)
    assert (
        after.pixels_processed == ended.usage.pixels_processed == 64 * 112 + 160 * 112
    )
    assert after.bytes_saved == ended.usage.bytes_saved > 1000
    assert after.compute_time_ms == ended.usage.compute_time_ms == 5


def test_each_output_saves_bytes_for_itself(house: House) -> None:
    """More outputs never save less; one that is larger than its source saves none."""
    one = house.submit(RESIZED, data=LARGE)
    house.work()
    saved = house.job(one.id).usage.bytes_saved
    two = house.submit(RESIZED, {**RESIZED, "id": "other"}, data=LARGE)
    house.work()
    assert house.job(two.id).usage.bytes_saved == 2 * saved > 0
    small = house.submit(RESIZED, data=tiny_gif()[:70])
    house.work()
    assert house.job(small.id).usage.bytes_saved == 0


def test_a_retry_costs_what_it_does_anew(house: House) -> None:
    """Together with the first job it costs as much as if nothing had failed."""
    house.submit(RESIZED, TO_PNG, tenant="lucky", data=LARGE)
    house.work()
    house.renderer.bad = {"web": "encode_failed"}
    old = house.submit(RESIZED, TO_PNG, tenant="unlucky", data=LARGE)
    house.work()
    house.renderer.bad = {}
    retry(house.service, "unlucky", old.id)
    house.work()
    smooth, rough = used(house, "lucky"), used(house, "unlucky")
    assert (rough.outputs, rough.pixels_processed, rough.bytes_saved) == (
        smooth.outputs,
        smooth.pixels_processed,
        smooth.bytes_saved,
    )
    assert (smooth.jobs, rough.jobs) == (1, 2)


def test_attempts_that_came_to_nothing_cost_nothing(house: House) -> None:
    job = house.submit(RESIZED)
    raising(house, StorageUnavailable(), StorageUnavailable())
    for _ in range(3):
        house.work()
        house.clock.advance(600)
    assert house.job(job.id).status == "succeeded"
    assert (used(house).jobs, used(house).compute_time_ms) == (1, 5)


def test_a_job_that_failed_counts_and_made_nothing(house: House) -> None:
    house.renderer.bad = {"small": "encode_failed"}
    house.submit(RESIZED, data=LARGE)
    house.work()
    total = used(house)
    assert (total.jobs, total.outputs, total.bytes_saved) == (1, 0, 0)
    assert total.compute_time_ms == 5


def test_what_was_never_begun_costs_nothing(house: House) -> None:
    """Canceled while it waited, or its upload never came."""
    cancel(house.service, "default", house.submit().id)
    announce(house.service, Order(pipeline=Pipeline.parse([RESIZED])))
    house.clock.advance(DAY)
    expire(house.service)
    assert used(house).jobs == 0


def test_a_canceled_job_costs_the_work_and_saves_nothing(house: House) -> None:
    job = house.submit(RESIZED, data=LARGE)
    house.renderer.trouble = lambda checkpoint: _stop(house, job.id)
    house.work()
    assert house.job(job.id).status == "canceled"
    total = used(house)
    assert (total.jobs, total.outputs, total.bytes_saved) == (1, 0, 0)
    assert total.compute_time_ms == 5


def test_erasing_a_job_does_not_change_what_it_has_cost(house: House) -> None:
    job = house.submit(RESIZED, data=LARGE)
    house.work()
    before = used(house)
    erase(house.service, "default", job.id)
    assert used(house) == before
    assert before.jobs == 1


def test_a_job_that_is_erased_while_it_runs_counts_once(house: House) -> None:
    """Its stage ends into nothing, and changes no sum."""
    job = house.submit(RESIZED)

    def erased(checkpoint: Checkpoint) -> None:
        erase(house.service, "default", job.id)

    house.renderer.trouble = erased
    house.work()
    assert (used(house).jobs, used(house).outputs) == (1, 0)


def test_usage_outlives_its_jobs_and_not_for_ever(house: House) -> None:
    house.submit(RESIZED)
    house.work()
    house.clock.advance(house.rules.usage_retention)
    expire(house.service)
    report = usage_by_day(house.service, "default", TODAY, TODAY)
    assert report.total.jobs == 1
    house.clock.advance(DAY)
    expire(house.service)
    assert usage_by_day(house.service, "default", TODAY, TODAY).total.jobs == 0


def test_every_day_of_a_range_is_told(house: House) -> None:
    """In default the last thirty; with one end, up to today or so many before it."""
    assert len(usage_by_day(house.service, "default").days) == SHOWN_DAYS
    report = usage_by_day(house.service, "default", TODAY - 2 * DAY)
    assert [day.day for day in report.days] == [TODAY - 2 * DAY, TODAY - DAY, TODAY]
    report = usage_by_day(house.service, "default", None, TODAY - DAY)
    assert (report.first, report.last) == (TODAY - SHOWN_DAYS * DAY, TODAY - DAY)
    report = usage_by_day(house.service, "default", TODAY + DAY)
    assert [day.day for day in report.days] == [TODAY + DAY]
    assert usage_by_day(house.service, "default", None, date.min).first == date.min


def test_a_range_has_bounds(house: House) -> None:
    most = (MOST_DAYS - 1) * DAY
    report = usage_by_day(house.service, "default", TODAY - most, TODAY)
    assert len(report.days) == MOST_DAYS
    for first, last in ((TODAY - most - DAY, TODAY), (TODAY, TODAY - DAY)):
        with pytest.raises(InvalidRequest) as refused:
            usage_by_day(house.service, "default", first, last)
        assert refused.value.fields[0].pointer == "/from"


def _stop(house: House, job_id: str) -> None:
    cancel(house.service, "default", job_id)
