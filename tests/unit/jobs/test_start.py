"""Uploads that are announced, PUT by the client and then started."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pixtools.domain.errors import (
    ImageTooLargeForMemory,
    InvalidPipeline,
    JobExpired,
    JobNotFound,
    QueueFull,
    UnsupportedFormat,
    UploadMismatch,
    UploadMissing,
    UploadTooLarge,
)
from pixtools.domain.pipeline import Pipeline
from pixtools.jobs.cancel import cancel
from pixtools.jobs.erase import erase
from pixtools.jobs.expire import expire
from pixtools.jobs.ports.blobs import Blob
from pixtools.jobs.read import get_job
from pixtools.jobs.start import start
from pixtools.jobs.submit import (
    IdempotencyKey,
    Order,
    Submitted,
    announce,
)
from pixtools.testing.house import RESIZED, House, tiny_gif
from pixtools.testing.memory_blobs import MemoryLinks

ORDER = Order(pipeline=Pipeline.parse([RESIZED]))
GIF = tiny_gif()
SHA256 = hashlib.sha256(GIF).hexdigest()


def put(house: House, key: str, data: bytes = GIF) -> None:
    writer = house.blobs.writer(key)
    writer.write(data)
    writer.commit()


def uploaded(house: House, given: Submitted, data: bytes = GIF) -> int:
    assert given.upload is not None
    links = house.service.links
    assert isinstance(links, MemoryLinks)
    headers: Mapping[str, str] = given.upload.headers
    return links.request("PUT", given.upload.url, headers, data).status


def test_an_announced_job_waits_for_its_upload(house: House) -> None:
    """It is not queued, takes no place and nobody works on it."""
    given = announce(house.service, ORDER, filename="a.gif", bytes=len(GIF))
    assert (given.job.status, given.job.stages_left) == ("created", 0)
    assert given.upload is not None
    assert house.work() == 0
    house.rule(queue_size=1)
    house.submit()


def test_a_verified_upload_is_queued_and_done(house: House) -> None:
    given = announce(
        house.service, ORDER, filename="a.gif", bytes=len(GIF), sha256=SHA256
    )
    assert uploaded(house, given) == 200
    house.clock.advance(5)
    started = start(house.service, "default", given.job.id)
    assert (started.job.status, started.replayed) == ("queued", False)
    assert (started.job.source.format, started.job.source.sha256) == ("gif", SHA256)
    assert started.job.expires_at is None
    house.work()
    assert house.job(given.job.id).status == "succeeded"


@pytest.mark.parametrize(("sha256", "fits"), [(SHA256, True), ("0" * 64, False)])
def test_a_store_without_hashes_is_hashed(
    house: House, sha256: str, fits: bool
) -> None:
    """Where the store does not tell the SHA-256, the bytes are read for it."""
    given = announce(house.service, ORDER, sha256=sha256)
    put(house, given.job.source.key)
    stat = house.blobs.stat

    def bare(key: str) -> Blob | None:
        blob = stat(key)
        return replace(blob, sha256=None) if blob else None

    house.blobs.stat = bare  # type: ignore[method-assign] # a fake
    if fits:
        started = start(house.service, "default", given.job.id)
        assert started.job.source.sha256 == SHA256
        return
    with pytest.raises(UploadMismatch):
        start(house.service, "default", given.job.id)


def test_of_two_starts_at_once_one_queues_the_job(house: House) -> None:
    """The other gives the same answer, however late it looked."""
    given = announce(house.service, ORDER)
    put(house, given.job.source.key)
    read = house.blobs.read

    def overtaken(key: str, **range: Any) -> Iterator[bytes]:
        house.blobs.read = read  # type: ignore[method-assign] # the real one
        start(house.service, "default", given.job.id)
        return read(key, **range)

    house.blobs.read = overtaken  # type: ignore[method-assign] # a fake
    late = start(house.service, "default", given.job.id)
    assert (late.job.status, late.replayed) == ("queued", True)
    assert house.work() == 1


def test_a_job_that_is_erased_while_it_starts_is_gone(house: House) -> None:
    given = announce(house.service, ORDER)
    put(house, given.job.source.key)
    read = house.blobs.read

    def too_late(key: str, **range: Any) -> Iterator[bytes]:
        chunks = read(key, **range)
        erase(house.service, "default", given.job.id)
        return chunks

    house.blobs.read = too_late  # type: ignore[method-assign] # a fake
    with pytest.raises(JobNotFound):
        start(house.service, "default", given.job.id)
    assert house.work() == 0


def test_an_upload_that_is_swapped_while_it_is_looked_at_is_refused(
    house: House,
) -> None:
    """What was measured is what was looked at, and what will be read."""
    given = announce(house.service, ORDER)
    put(house, given.job.source.key)
    stat = house.blobs.stat

    def swapped(key: str) -> Blob | None:
        blob = stat(key)
        put(house, key, tiny_gif(9, 9))
        return blob

    house.blobs.stat = swapped  # type: ignore[method-assign] # a fake
    with pytest.raises(UploadMismatch):
        start(house.service, "default", given.job.id)
    assert house.job(given.job.id).status == "created"


def test_starting_twice_gives_the_same_answer(house: House) -> None:
    given = announce(house.service, ORDER)
    uploaded(house, given)
    first = start(house.service, "default", given.job.id)
    again = start(house.service, "default", given.job.id)
    assert (again.job, again.replayed) == (first.job, True)
    assert house.work() == 1


def test_nothing_uploaded_is_missing(house: House) -> None:
    given = announce(house.service, ORDER)
    with pytest.raises(UploadMissing):
        start(house.service, "default", given.job.id)
    assert house.job(given.job.id).status == "created"


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", UploadMismatch),
        (GIF + b"x", UploadMismatch),
        (tiny_gif(1, 1), UploadMismatch),
        (b"x" * len(GIF), UnsupportedFormat),
    ],
)
def test_an_upload_that_is_not_right_is_deleted(
    house: House, data: bytes, error: type[Exception]
) -> None:
    """So that a right one may take its place."""
    given = announce(house.service, ORDER, bytes=len(GIF), sha256=SHA256)
    put(house, given.job.source.key, data)
    with pytest.raises(error):
        start(house.service, "default", given.job.id)
    assert house.blobs.keys() == []
    uploaded(house, given)
    assert start(house.service, "default", given.job.id).job.status == "queued"


def test_an_upload_that_fits_into_no_worker_is_refused(house: House) -> None:
    """At once, though nobody would have decoded it for hours."""
    given = announce(house.service, ORDER)
    put(house, given.job.source.key, tiny_gif(9_900, 9_900))
    with pytest.raises(ImageTooLargeForMemory, match=r"1024 MiB .* need 1\d{3} MiB"):
        start(house.service, "default", given.job.id)
    assert house.blobs.keys() == []
    assert house.job(given.job.id).status == "created"


def test_an_upload_that_the_pipeline_can_not_write_is_refused(house: House) -> None:
    steps = [{"id": "a", "action": "resize", "width": 9, "quality": 80}]
    given = announce(house.service, Order(pipeline=Pipeline.parse(steps)))
    uploaded(house, given)
    with pytest.raises(InvalidPipeline):
        start(house.service, "default", given.job.id)
    assert house.blobs.keys() == []


def test_a_full_queue_starts_nothing(house: House) -> None:
    given = announce(house.service, ORDER)
    uploaded(house, given)
    house.rule(queue_size=0)
    with pytest.raises(QueueFull):
        start(house.service, "default", given.job.id)
    house.rule(queue_size=1)
    assert start(house.service, "default", given.job.id).job.status == "queued"


def test_what_is_announced_too_large_is_refused_at_once(house: House) -> None:
    with pytest.raises(UploadTooLarge):
        announce(house.service, ORDER, bytes=house.rules.limits.max_upload_bytes + 1)


def test_only_the_tenant_starts_its_job(house: House) -> None:
    given = announce(house.service, ORDER)
    with pytest.raises(JobNotFound):
        start(house.service, "acme", given.job.id)


def test_a_canceled_job_is_not_started(house: House) -> None:
    given = announce(house.service, ORDER)
    uploaded(house, given)
    cancel(house.service, "default", given.job.id)
    assert start(house.service, "default", given.job.id).job.status == "canceled"
    assert house.work() == 0


def test_an_upload_that_never_comes_is_forgotten(house: House) -> None:
    """After twice the time that its permission lasts."""
    given = announce(house.service, ORDER)
    put(house, given.job.source.key)
    house.clock.advance(2 * house.rules.upload_expiry - timedelta(seconds=1))
    assert expire(house.service) == 0
    house.clock.advance(1)
    with pytest.raises(JobExpired):
        start(house.service, "default", given.job.id)
    assert expire(house.service) == 1
    assert house.blobs.keys() == []
    with pytest.raises(JobExpired):
        get_job(house.service, "default", given.job.id)


def test_a_repeated_announcement_brings_a_new_permission(house: House) -> None:
    """While it is waited for; afterwards there is nothing to upload."""
    order = Order(pipeline=ORDER.pipeline, idempotency=IdempotencyKey("key", "same"))
    first = announce(house.service, order)
    again = announce(house.service, order)
    assert (again.job.id, again.replayed) == (first.job.id, True)
    assert again.upload is not None
    uploaded(house, again)
    start(house.service, "default", first.job.id)
    assert announce(house.service, order).upload is None
