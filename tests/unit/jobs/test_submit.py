"""Taking jobs on: what is accepted, what is refused, and what a refusal leaves."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pixtools.domain.errors import (
    CorruptImage,
    EmptyFile,
    FieldError,
    ImageTooLarge,
    ImageTooLargeForMemory,
    InvalidPipeline,
    PixtoolsError,
    StorageUnavailable,
    UnsupportedFormat,
    UploadTooLarge,
)
from pixtools.domain.limits import Limits
from pixtools.domain.pipeline import Pipeline
from pixtools.jobs.ports.facts import JobQuery
from pixtools.jobs.read import document, list_jobs
from pixtools.jobs.submit import Intake, Order, submit_upload
from pixtools.testing.house import FACTS, RESIZED, House, tiny_gif

ORDER = Order(pipeline=Pipeline.parse([RESIZED]))
TO_JPEG = {"id": "web", "action": "convert", "format": "jpg"}


def nothing_is_left(house: House) -> bool:
    jobs = list_jobs(house.service, JobQuery(tenant="default")).jobs
    return house.blobs.keys() == [] and list(jobs) == []


def test_an_upload_becomes_a_queued_job(house: House) -> None:
    """Its source is stored and known; one stage waits; those who watch are told."""
    job = house.submit(RESIZED, FACTS)
    assert (job.status, job.stages_left, job.queued_at) == ("queued", 1, job.created_at)
    assert house.blobs.keys() == [job.source.key]
    assert (job.source.format, job.source.width, job.source.height) == ("gif", 160, 112)
    assert job.source.bytes == len(tiny_gif())
    assert house.job(job.id) == job
    assert house.bell.lanes == [("default_queue",)]
    assert house.bell.subjects == [job.id]


def test_what_a_client_says_is_kept(house: House) -> None:
    """Preset, hook, own data and the trace come back with the job."""
    job = house.submit(
        face="api",
        tenant="acme",
        preset="gallery",
        archive=False,
        webhook_url="https://example.org/hook",
        client_metadata={"order": 17},
        request_id="r-1",
        traceparent="00-ab-cd-01",
    )
    kept = house.job(job.id)
    assert (kept.face, kept.tenant, kept.preset) == ("api", "acme", "gallery")
    assert (kept.archive, kept.client_metadata) == (None, {"order": 17})
    assert (kept.request_id, kept.traceparent) == ("r-1", "00-ab-cd-01")
    shown = document(house.service, kept)
    assert shown.webhook is not None
    assert shown.webhook.state == "pending"


def test_the_source_is_streamed_in_any_pieces(house: House) -> None:
    """Byte by byte it is the same file."""
    intake = Intake.begin(house.service, "default")
    for byte in tiny_gif():
        intake.write(bytes([byte]))
    job = submit_upload(house.service, ORDER, intake, filename="a.gif").job
    assert b"".join(house.blobs.read(job.source.key)) == tiny_gif()


@pytest.mark.parametrize(
    ("data", "limits", "error"),
    [
        (b"", Limits(), EmptyFile),
        (b"x", Limits(), UnsupportedFormat),
        (b"Dear sir, " * 99, Limits(), UnsupportedFormat),
        (tiny_gif(0, 7), Limits(), CorruptImage),
        (tiny_gif(50_000, 50_000), Limits(), ImageTooLarge),
        (tiny_gif(9_900, 9_900), Limits(), ImageTooLargeForMemory),
        (tiny_gif(), Limits(max_upload_bytes=20), UploadTooLarge),
    ],
)
def test_a_refused_file_leaves_nothing(
    house: House, data: bytes, limits: Limits, error: type[PixtoolsError]
) -> None:
    house.rule(limits=limits)
    with pytest.raises(error):
        house.submit(data=data)
    assert nothing_is_left(house)


def test_a_file_is_refused_while_it_comes(house: House) -> None:
    """No more than its first bytes are taken of what can't be an image."""
    intake = Intake.begin(house.service, "default")
    with pytest.raises(UnsupportedFormat):
        intake.write(b"Dear sir, " * 99)
    intake = Intake.begin(house.service, "default")
    with pytest.raises(ImageTooLarge):
        intake.write(tiny_gif(50_000, 50_000))
    assert nothing_is_left(house)


def test_a_pipeline_is_checked_against_the_source(house: House) -> None:
    """`quality` of a resize without a format does not fit a GIF, and says where."""
    with pytest.raises(InvalidPipeline) as refused:
        house.submit({**RESIZED, "format": None, "quality": 80})
    assert [field.pointer for field in refused.value.fields] == ["/pipeline/0/quality"]
    assert nothing_is_left(house)


def test_what_no_worker_offers_is_refused(house: House) -> None:
    """An action or a format that this deployment lacks is named."""
    with pytest.raises(InvalidPipeline) as refused:
        house.submit({"id": "clean", "action": "denoise"})
    assert [field.pointer for field in refused.value.fields] == ["/pipeline/0/action"]
    capabilities = house.rules.capabilities
    some = type(capabilities)(
        actions=capabilities.actions,
        readable=capabilities.readable,
        writable=capabilities.writable - {"gif"},
    )
    house.rule(capabilities=some)
    with pytest.raises(InvalidPipeline) as refused:
        house.submit(TO_JPEG, {"id": "a", "action": "resize", "width": 9})
    assert [field.pointer for field in refused.value.fields] == ["/pipeline/1/format"]
    assert nothing_is_left(house)


def test_a_watermark_must_be_ones_own_and_there(house: House) -> None:
    def marked(key: str) -> dict[str, object]:
        return {"id": "m", "action": "watermark", "watermark": {"image": key}}

    def refusal(key: str) -> FieldError:
        with pytest.raises(InvalidPipeline) as refused:
            house.submit(marked(key))
        return refused.value.fields[0]

    for key in ("inbox/acme/logo.png", "raw/else/source", "inbox/default/none.png"):
        assert refusal(key).pointer == "/pipeline/0/watermark/image"
    writer = house.blobs.writer("inbox/default/logo.png")
    writer.commit()
    assert house.submit(marked("inbox/default/logo.png")).status == "queued"


def test_an_intake_that_is_left_leaves_nothing(house: House) -> None:
    """Whatever its caller ran into, before or after the last byte."""

    def left(*, finished: bool) -> None:
        with Intake.begin(house.service, "default") as intake:
            intake.write(tiny_gif())
            if finished:
                intake.finish()
            raise LookupError

    for finished in (False, True):
        with pytest.raises(LookupError):
            left(finished=finished)
    assert nothing_is_left(house)


def test_a_store_that_is_away_takes_nothing(house: House) -> None:
    intake = Intake.begin(house.service, "default")
    intake.write(tiny_gif())
    house.blobs.away = True
    with pytest.raises(StorageUnavailable):
        submit_upload(house.service, ORDER, intake, filename="a.gif")
    house.blobs.away = False
    assert nothing_is_left(house)


def test_jobs_are_numbered_in_the_order_in_which_they_came(house: House) -> None:
    first = house.submit()
    house.clock.advance(1)
    second = house.submit()
    places = [document(house.service, job).queue_position for job in (first, second)]
    assert places == [0, 1]
    assert (
        document(house.service, first).links["cancel"] == f"/v1/jobs/{first.id}/cancel"
    )


def test_a_bell_that_breaks_breaks_nothing(house: House) -> None:
    """What is committed stands; runners look again by themselves."""

    def broken(job_id: str) -> None:
        raise RuntimeError(job_id)

    house.bell.news = broken  # type: ignore[method-assign] # the bell of this test
    job = house.submit()
    assert house.job(job.id).status == "queued"
    assert house.blobs.keys() == [job.source.key]


def test_a_tall_header_is_found_in_the_whole_file(house: House) -> None:
    """A header further in than an intake keeps in memory is read from the store."""
    endless = b"\xff\xe2\xff\xff" + bytes(0xFFFD)
    frame = b"\xff\xc0\x00\x11\x08\x00\x64\x00\xc8\x03" + bytes(64)
    jpeg = b"\xff\xd8" + endless * 12 + frame
    job = house.submit(data=jpeg)
    assert (job.source.format, job.source.width, job.source.height) == ("jpg", 200, 100)


def test_an_upload_waits_no_longer_than_its_reader_needs(house: House) -> None:
    """Nothing of time is in a submitted job but its beginning."""
    job = house.submit()
    house.clock.advance(timedelta(days=300))
    assert house.job(job.id).expires_at is None
