"""The ZIP of a job's outputs."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pytest
from tests.unit.jobs.looks import shown

from pixtools.domain.errors import (
    DatabaseUnavailable,
    SourceMissing,
    StorageUnavailable,
)
from pixtools.domain.job import Job
from pixtools.jobs import archive
from pixtools.jobs.cancel import cancel
from pixtools.jobs.erase import erase
from pixtools.jobs.read import events_after
from pixtools.jobs.run_stage import work
from pixtools.jobs.service import Service
from pixtools.testing.house import ABLE, RESIZED, House
from pixtools.testing.memory_blobs import MemoryWriter

TO_PNG = {"id": "web", "action": "convert", "format": "png"}
DENOISED = {"id": "calm", "action": "denoise", "format": "png"}


def packed(house: House, job_id: str) -> zipfile.ZipFile:
    data = b"".join(house.blobs.read(f"archives/{job_id}/bundle.zip"))
    return zipfile.ZipFile(io.BytesIO(data))


def test_it_holds_what_was_made_as_it_was_made(house: House) -> None:
    """Stored, not deflated, under the download names; nothing else."""
    house.renderer.bad = {"bad": "encode_failed"}
    job = house.submit(RESIZED, TO_PNG, {**TO_PNG, "id": "bad"}, filename="größe.gif")
    house.work()
    with packed(house, job.id) as found:
        assert found.testzip() is None
        assert found.namelist() == ["größe-small.webp", "größe-web.png"]
        for info, output in zip(
            found.infolist(), house.job(job.id).outputs, strict=False
        ):
            assert info.compress_type == zipfile.ZIP_STORED
            assert found.read(info) == b"".join(house.blobs.read(output.key or ""))


def test_the_same_outputs_make_the_same_bytes(house: House) -> None:
    """Times are the job's, not the packer's; a second attempt changes nothing."""
    house.rule(ahead_bytes=0)
    job = house.submit(RESIZED)
    packing = house.step()
    assert packing
    read, calls = house.blobs.read, []

    def cut_off(key: str) -> object:
        calls.append(key)
        if len(calls) == 1:
            raise StorageUnavailable
        return read(key)

    house.blobs.read = cut_off  # type: ignore[method-assign, assignment] # a fake
    work(house.service, packing)
    house.clock.advance(3600)
    house.work()
    with packed(house, job.id) as found:
        (info,) = found.infolist()
        ended = house.job(job.id).finished_at
        assert ended is not None
        assert info.date_time[:5] == ended.timetuple()[:5]
    zipped = shown(house, job).archive
    assert zipped is not None
    blob = house.blobs.stat(f"archives/{job.id}/bundle.zip")
    assert blob is not None
    assert zipped.bytes == blob.bytes


def test_what_was_just_made_is_not_fetched_again(house: House) -> None:
    """Whoever made the pictures packs them, from where they were made."""

    def refused(key: str) -> object:
        raise StorageUnavailable(key)

    house.blobs.read, read = refused, house.blobs.read  # type: ignore[method-assign, assignment] # a fake
    job = house.submit(RESIZED, TO_PNG)
    assert house.work() == 1
    house.blobs.read = read  # type: ignore[method-assign] # the real one
    with packed(house, job.id) as found:
        for name, id in (("cat-small.webp", "small.webp"), ("cat-web.png", "web.png")):
            stored = b"".join(house.blobs.read(f"processed/{job.id}/{id}"))
            assert found.read(name) == stored


def test_outputs_that_are_gone_by_now_are_left_out(house: House) -> None:
    house.rule(ahead_bytes=0)
    job = house.submit(RESIZED, TO_PNG)
    packing = house.step()
    assert packing
    house.blobs.delete(f"processed/{job.id}/small")
    work(house.service, packing)
    with packed(house, job.id) as found:
        assert found.namelist() == ["cat-web.png"]


def test_without_any_output_left_it_is_skipped(house: House) -> None:
    house.rule(ahead_bytes=0)
    job = house.submit(RESIZED)
    packing = house.step()
    assert packing
    house.blobs.delete("processed/")
    work(house.service, packing)
    zipped = shown(house, job).archive
    assert zipped is not None
    assert zipped.status == "skipped"
    assert f"archives/{job.id}/bundle.zip" not in house.blobs.keys()  # noqa: SIM118 - no dict


def test_the_bundle_has_a_name_of_its_face(house: House) -> None:
    """The seed's on /api, ours on /v1."""
    from pixtools.jobs.names import bundle_name, download_name

    classic = house.submit({**TO_PNG, "id": "png"}, face="api", filename="a b.gif")
    modern = house.submit(TO_PNG, filename="a b.gif")
    house.work()
    for job, names in (
        (classic, ["pixtools_png_a b.png", "pixtools_bundle_a b.zip"]),
        (modern, ["a b-web.png", "a b-bundle.zip"]),
    ):
        done = house.job(job.id)
        assert [download_name(done, done.outputs[0]), bundle_name(done)] == names


def test_a_small_one_is_told_of_with_the_end(house: House) -> None:
    """One transaction ends the job, and nothing of it is left to be done."""
    job = house.submit(RESIZED, TO_PNG)
    assert house.step() is None
    done = house.job(job.id)
    assert done.settled
    assert done.archive is not None
    stored = house.blobs.stat(f"archives/{job.id}/bundle.zip")
    assert stored is not None
    assert (done.archive.status, done.archive.bytes) == ("succeeded", stored.bytes)
    kinds = [e.kind for e in events_after(house.service, "default", job.id, 0)]
    assert kinds[-3:] == ["status", "archive", "done"]
    assert stages(house, job) == ["render"]


def test_one_that_others_add_to_comes_after_the_end(house: House) -> None:
    """Whoever ends before others knows of its own pictures alone."""
    house.rule(capabilities=ABLE, ml_isolated=False)
    job = house.submit(RESIZED, DENOISED)
    assert house.step() is None
    assert house.blobs.stat(f"archives/{job.id}/bundle.zip") is None
    assert house.step() is None
    with packed(house, job.id) as found:
        assert len(found.namelist()) == 2


def test_while_the_store_is_away_it_is_owed(house: House) -> None:
    """What was made is told of; the ZIP follows when the store is back."""
    write, ups = house.blobs.writer, list[str]()

    def away_for_archives(key: str, content_type: str | None = None) -> MemoryWriter:
        if key.startswith("archives/") and len(ups) < 2:
            ups.append(key)
            raise StorageUnavailable
        return write(key, content_type)

    house.blobs.writer = away_for_archives  # type: ignore[method-assign] # a fake
    job = house.submit(RESIZED)
    house.work()
    assert shown(house, job).status == "succeeded"
    assert len(ups) == 2
    house.clock.advance(60)
    house.work()
    assert house.job(job.id).settled
    with packed(house, job.id) as found:
        assert found.namelist() == ["cat-small.webp"]


@pytest.mark.parametrize(
    "error",
    [
        DatabaseUnavailable(),
        SourceMissing(),
        OSError("Too many open files."),
        RuntimeError("A bug."),
    ],
)
def test_pictures_are_not_lost_with_their_zip(house: House, error: Exception) -> None:
    """Whatever hinders it, they are made; it is tried again as a stage of its own."""
    write, errors = house.blobs.writer, [error]

    def failing_for_archives(key: str, content_type: str | None = None) -> MemoryWriter:
        if key.startswith("archives/") and errors:
            raise errors.pop()
        return write(key, content_type)

    house.blobs.writer = failing_for_archives  # type: ignore[method-assign] # a fake
    job = house.submit(RESIZED)
    house.work()
    done = house.job(job.id)
    assert (done.status, len(house.renderer.plans)) == ("succeeded", 1)
    assert done.archive is not None
    assert (done.archive.status, errors) == ("succeeded", [])


@pytest.mark.parametrize("ahead", [0, 1 << 20])
def test_its_files_are_as_old_as_the_work(house: House, ahead: int) -> None:
    """However long a job has waited, and whoever packs it when."""
    house.rule(ahead_bytes=ahead)
    job = house.submit(RESIZED)
    house.clock.advance(3600)
    house.work()
    with packed(house, job.id) as found:
        (info,) = found.infolist()
        assert info.date_time[:5] == house.clock.now().timetuple()[:5]


def test_a_store_that_fails_in_its_middle_is_told_as_such(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not as what `zipfile` makes of a writer that has dropped everything."""
    monkeypatch.setattr(archive, "SMALL", 1)

    class Full(MemoryWriter):
        def write(self, chunk: bytes) -> None:
            super().write(chunk)
            self.abort()
            raise StorageUnavailable

    write = house.blobs.writer

    def full_for_archives(key: str, content_type: str | None = None) -> MemoryWriter:
        if key.startswith("archives/"):
            return Full(house.blobs, key, content_type)
        return write(key, content_type)

    house.blobs.writer = full_for_archives  # type: ignore[method-assign] # a fake
    job = house.submit(RESIZED)
    house.work()
    assert house.job(job.id).status == "succeeded"
    with house.database.read() as tx:
        _, packing = tx.stages.of_job(job.id)
    assert packing.error is not None
    assert (packing.error.code, packing.status) == ("storage_unavailable", "queued")


@pytest.mark.parametrize("stop", [cancel, erase])
def test_of_a_job_that_is_stopped_meanwhile_none_stays(
    house: House, stop: Callable[[Service, str, str], object]
) -> None:
    """Neither pictures nor what was packed of them."""
    job = house.submit(RESIZED)
    put = house.blobs.put

    def stopped_then(key: str, thing: object) -> object:
        stored = put(key, thing)  # type: ignore[arg-type] # passed on
        if key.startswith("archives/"):
            stop(house.service, "default", job.id)
        return stored

    house.blobs.put = stopped_then  # type: ignore[method-assign, assignment] # a fake
    house.work()
    assert house.blobs.keys() == ([] if stop is erase else [job.source.key])


def stages(house: House, job: Job) -> list[str]:
    with house.database.read() as tx:
        return [stage.kind for stage in tx.stages.of_job(job.id)]
