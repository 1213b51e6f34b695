"""The ZIP of a job's outputs."""

from __future__ import annotations

import io
import zipfile

from tests.unit.jobs.looks import shown

from pixtools.domain.errors import StorageUnavailable
from pixtools.jobs.run_stage import work
from pixtools.testing.house import RESIZED, House

TO_PNG = {"id": "web", "action": "convert", "format": "png"}


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
    archive = shown(house, job).archive
    assert archive is not None
    blob = house.blobs.stat(f"archives/{job.id}/bundle.zip")
    assert blob is not None
    assert archive.bytes == blob.bytes


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
    job = house.submit(RESIZED, TO_PNG)
    packing = house.step()
    assert packing
    house.blobs.delete(f"processed/{job.id}/small")
    work(house.service, packing)
    with packed(house, job.id) as found:
        assert found.namelist() == ["cat-web.png"]


def test_without_any_output_left_it_is_skipped(house: House) -> None:
    job = house.submit(RESIZED)
    packing = house.step()
    assert packing
    house.blobs.delete("processed/")
    work(house.service, packing)
    archive = shown(house, job).archive
    assert archive is not None
    assert archive.status == "skipped"
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
