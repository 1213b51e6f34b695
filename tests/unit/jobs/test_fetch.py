"""A photo that stands behind an address is fetched by a worker, and then is like others."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.jobs.asking import GIF, NAME, URL, ask, asked, worked

from pixtools.domain.errors import (
    InvalidRequest,
    SourceRefused,
    UploadTooLarge,
)
from pixtools.domain.job import Job
from pixtools.domain.limits import Limits
from pixtools.jobs.postpone import LONGEST_PAUSE
from pixtools.jobs.read import document, events_after
from pixtools.jobs.retry import retry
from pixtools.testing.house import FACTS, RESIZED, House, tiny_gif


@pytest.fixture
def house(house: House) -> House:
    house.fetcher.photos[URL] = GIF
    return house


def test_nobody_waits_for_a_stranger(house: House) -> None:
    """The job is queued at once; nothing was asked of the address yet."""
    job = asked(house)
    assert (job.status, job.stages_left, job.queued_at) == ("queued", 1, job.created_at)
    assert job.expires_at is None
    assert house.fetcher.asked == []


def test_a_fetched_photo_becomes_outputs(house: House) -> None:
    job = asked(house, RESIZED, FACTS)
    house.work()
    ended = house.job(job.id)
    assert ended.status == "succeeded"
    assert [output.status for output in ended.outputs] == ["succeeded"]
    assert ended.facts
    assert (ended.source.bytes, ended.source.format) == (len(GIF), "gif")
    assert ended.source.sha256 == hashlib.sha256(GIF).hexdigest()
    assert ended.source.filename == NAME
    assert house.fetcher.asked == [URL]


def test_a_job_is_queued_until_its_photo_is_here(house: House) -> None:
    job = asked(house)
    house.step()
    here = house.job(job.id)
    assert (here.status, here.started_at, here.stages_left) == ("queued", None, 1)
    assert here.source.width == 160
    assert here.outputs[0].status == "pending"


def test_the_address_is_told_to_nobody_and_forgotten_when_it_was_fetched(
    house: House,
) -> None:
    """It may hold a stranger's signature."""
    job = asked(house)
    assert "secret" not in document(house.service, job).model_dump_json()
    house.step()
    assert house.job(job.id).source.url is None


def test_watchers_hear_that_the_photo_has_come(house: House) -> None:
    job = asked(house)
    house.step()
    kinds = [event.kind for event in events_after(house.service, "default", job.id, 0)]
    assert kinds == ["status", "status"]


def test_a_name_that_the_client_gives_goes_before_the_servers(house: House) -> None:
    job = asked(house, filename="mine.gif")
    house.work()
    assert house.job(job.id).source.filename == "mine.gif"


def test_what_was_announced_has_to_come(house: House) -> None:
    digest = hashlib.sha256(GIF).hexdigest()
    job = asked(house, bytes=len(GIF), sha256=digest.upper())
    house.work()
    assert house.job(job.id).status == "succeeded"


@pytest.mark.parametrize("told", [{"bytes": 7}, {"sha256": "0" * 64}])
def test_another_file_than_the_announced_one_fails_the_job(
    house: House, told: dict[str, Any]
) -> None:
    job = asked(house, **told)
    house.work()
    failed(house, job, "upload_mismatch")


@pytest.mark.parametrize(
    ("photo", "code"),
    [
        (b"", "empty_file"),
        (b"<html>not a photo, but as long as one</html>" * 3, "unsupported_format"),
        (tiny_gif(60_000, 60_000), "image_too_large"),
        (tiny_gif(9_900, 9_900), "image_too_large_for_memory"),
    ],
)
def test_what_is_no_photo_fails_the_job_as_an_upload_is_refused(
    house: House, photo: bytes, code: str
) -> None:
    house.fetcher.photos[URL] = photo
    job = asked(house, RESIZED, FACTS)
    house.work()
    failed(house, job, code)
    assert house.fetcher.asked == [URL]


def failed(house: House, job: Job, code: str) -> Job:
    """The job failed for this reason, its outputs too, and left no file."""
    ended = house.job(job.id)
    assert ended.status == "failed"
    assert ended.error
    assert ended.error.code == code
    assert {output.error.code for output in ended.outputs if output.error} == {code}
    assert all(output.status == "failed" for output in ended.outputs)
    assert ended.archive is None or ended.archive.status == "skipped"
    assert (ended.stages_left, ended.finished_at is None) == (0, False)
    assert house.blobs.keys() == []
    return ended


def test_a_photo_that_is_too_large_fails_the_job(house: House) -> None:
    house.rule(limits=Limits(max_upload_bytes=10))
    job = asked(house)
    house.work()
    failed(house, job, "upload_too_large")


def test_options_that_do_not_go_with_what_came_fail_the_job(house: House) -> None:
    """Nobody knew the format when the job was taken."""
    job = asked(house, {"id": "a", "action": "resize", "width": 9, "quality": 80})
    house.work()
    failed(house, job, "invalid_pipeline")


def test_an_address_that_is_refused_is_not_asked_again(house: House) -> None:
    house.fetcher.inside.add(URL)
    job = asked(house)
    worked(house)
    failed(house, job, "source_refused")
    assert len(house.fetcher.asked) == 1


def test_an_address_that_does_not_answer_is_asked_again_later(house: House) -> None:
    photo = house.fetcher.photos.pop(URL)
    job = asked(house)
    house.work()
    assert house.job(job.id).status == "queued"
    house.fetcher.photos[URL] = photo
    house.clock.advance(LONGEST_PAUSE)
    house.work()
    assert house.job(job.id).status == "succeeded"
    assert len(house.fetcher.asked) == 2


def test_an_address_that_never_answers_fails_the_job(house: House) -> None:
    del house.fetcher.photos[URL]
    job = asked(house)
    worked(house)
    failed(house, job, "source_unreachable")
    assert len(house.fetcher.asked) == house.rules.max_attempts


def test_a_failed_fetch_can_be_tried_once_more(house: House) -> None:
    photo = house.fetcher.photos.pop(URL)
    job = asked(house, filename="mine.gif", bytes=len(GIF))
    worked(house)
    house.fetcher.photos[URL] = photo
    again = retry(house.service, "default", job.id).job
    worked(house)
    ended = house.job(again.id)
    assert (ended.status, ended.retry_of) == ("succeeded", job.id)
    assert ended.source.filename == "mine.gif"


def test_a_repeated_order_is_fetched_once(house: House) -> None:
    first, second = ask(house, key="k"), ask(house, key="k")
    assert (second.replayed, second.job.id) == (True, first.job.id)
    house.work()
    assert house.fetcher.asked == [URL]


def test_a_size_that_is_announced_as_too_large_is_refused_at_once(house: House) -> None:
    with pytest.raises(UploadTooLarge):
        asked(house, bytes=10**12)


def test_where_nothing_is_fetched_the_order_is_refused(house: House) -> None:
    house.service = replace(house.service, fetcher=None)
    with pytest.raises(InvalidRequest) as refusal:
        asked(house)
    assert [field.pointer for field in refusal.value.fields] == ["/source_type"]


def test_the_words_of_a_refusal_are_the_jobs_error(house: House) -> None:
    def refuse() -> None:
        raise SourceRefused("The address of the source answered 404.")

    house.fetcher.trouble = refuse
    job = asked(house)
    house.work()
    assert failed(house, job, "source_refused").error
    shown = document(house.service, house.job(job.id))
    assert shown.error
    assert shown.error.detail == "The address of the source answered 404."
