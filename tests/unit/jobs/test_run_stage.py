"""A job's way through its stages."""

from __future__ import annotations

from functools import partial

from tests.unit.jobs.looks import shown, stage_of, told

from pixtools.domain.events import ending
from pixtools.jobs.erase import erase
from pixtools.jobs.ports.blobs import Blob
from pixtools.jobs.ports.work import Checkpoint
from pixtools.jobs.run_stage import run_next, run_stage, work
from pixtools.testing.house import FACTS, RESIZED, House
from pixtools.testing.memory_blobs import MemoryWriter
from pixtools.testing.memory_work import NO_IMAGE

TO_PNG = {"id": "web", "action": "convert", "format": "png"}
BROKEN = b"GIF89a\xa0\x00\x70\x00" + NO_IMAGE


def test_a_job_is_done_with_everything_that_was_asked(house: House) -> None:
    job = house.submit(RESIZED, TO_PNG, FACTS)
    assert house.work() == 1
    done = shown(house, job)
    assert (done.status, done.progress, done.error) == ("succeeded", 1.0, None)
    assert [(o.id, o.status, o.format) for o in done.outputs] == [
        ("small", "succeeded", "webp"),
        ("web", "succeeded", "png"),
    ]
    assert all(o.url and o.sha256 and o.bytes for o in done.outputs)
    assert done.metadata == {"width": 160, "height": 112}
    assert done.archive is not None
    assert (done.archive.status, bool(done.archive.url)) == ("succeeded", True)
    assert done.expires_at == house.clock.now() + house.rules.retention
    assert house.blobs.keys() == [
        f"archives/{job.id}/bundle.zip",
        f"processed/{job.id}/small.webp",
        f"processed/{job.id}/web.png",
        f"raw/{job.id}/source",
    ]


def test_one_decode_makes_all_outputs(house: House) -> None:
    house.submit(RESIZED, TO_PNG, FACTS)
    house.work()
    (plan,) = house.renderer.plans
    assert [output.id for output in plan.outputs] == ["small", "web"]
    assert plan.metadata


def test_the_last_file_of_a_stage_makes_all_of_them_last(house: House) -> None:
    """Before anybody is told of one: also where the last output is none."""
    said: list[tuple[str, bool]] = []

    class Noting(MemoryWriter):
        def commit(self, *, more: bool = False) -> Blob:
            blob = super().commit(more=more)
            said.append((blob.key.rpartition("/")[2], more))
            return blob

    house.renderer.bad = {"bad": "encode_failed"}
    house.submit(RESIZED, TO_PNG, {**TO_PNG, "id": "bad"})
    house.blobs.writer = partial(Noting, house.blobs)  # type: ignore[method-assign] # a fake
    house.work()
    assert said == [("small.webp", True), ("web.png", False), ("bundle.zip", False)]


def test_heavy_work_is_handed_on_as_such(house: House) -> None:
    """So that it yields to light work that is done beside it."""
    house.submit(RESIZED)
    house.work()
    house.rule(heavy_ms=1)
    house.submit(RESIZED)
    house.work()
    assert house.renderer.heavy == [False, True]


def test_everything_that_happens_is_told_in_order(house: House) -> None:
    """One `done`, at the very end."""
    house.rule(ahead_bytes=0)
    job = house.submit(RESIZED, TO_PNG)
    house.work()
    assert told(house, job) == [
        ("status", None),
        ("status", None),
        ("output", "small"),
        ("output", "web"),
        ("status", None),
        ("archive", None),
        ("archive", None),
        ("done", None),
    ]
    assert set(house.bell.subjects) == {job.id, ending(job.id)}


def test_the_end_is_told_once_when_nothing_can_change_any_more(house: House) -> None:
    """Whoever waits for it is not woken for anything before."""
    house.rule(ahead_bytes=0)
    job = house.submit()
    packing = house.step()
    assert packing
    assert house.job(job.id).terminal
    assert ending(job.id) not in house.bell.subjects
    work(house.service, packing)
    assert house.job(job.id).settled
    assert house.bell.subjects.count(ending(job.id)) == 1


def test_an_erased_job_has_come_to_its_end(house: House) -> None:
    job = house.submit()
    erase(house.service, "default", job.id)
    assert ending(job.id) in house.bell.subjects


def test_a_job_has_ended_before_its_large_archive_is_packed(house: House) -> None:
    """Who waits for pictures does not wait for the ZIP."""
    house.rule(ahead_bytes=0)
    job = house.submit()
    packing = house.step()
    assert packing
    assert packing.stage.lease_owner == "one"
    assert house.job(job.id).status == "succeeded"
    assert told(house, job)[-2:] == [("status", None), ("archive", None)]
    archive = house.job(job.id).archive
    assert archive is not None
    assert archive.status == "processing"


def test_without_an_archive_the_end_is_the_end(house: House) -> None:
    job = house.submit(archive=False)
    assert house.work() == 1
    assert shown(house, job).archive is None
    assert told(house, job)[-1] == ("done", None)


def test_facts_alone_need_no_archive(house: House) -> None:
    job = house.submit(FACTS)
    assert house.work() == 1
    done = shown(house, job)
    assert (done.status, done.outputs, done.archive) == ("succeeded", [], None)
    assert done.metadata


def test_finishing_comes_before_later_jobs(house: House) -> None:
    """An archive overtakes every render that waits; renders keep their order."""
    jobs = []
    for _ in range(3):
        jobs.append(house.submit())
        house.clock.advance(1)
    for expected in jobs:
        run_next(house.service, "one")
        run_next(house.service, "one")
        archive = house.job(expected.id).archive
        assert archive is not None
        assert archive.status == "succeeded"


def test_usage_is_counted(house: House) -> None:
    """Pixels of the outputs, bytes that they are smaller than the source, CPU time."""
    job = house.submit(
        {**RESIZED, "height": 32}, data=BROKEN[:6] + b"\xa0\x00\x70\x00" + bytes(500)
    )
    house.work()
    usage = house.job(job.id).usage
    assert (usage.pixels_processed, usage.compute_time_ms) == (64 * 32, 5)
    output = house.job(job.id).outputs[0]
    assert usage.bytes_saved == 510 - (output.bytes or 0)


def test_one_bad_output_does_not_spoil_the_others(house: House) -> None:
    house.renderer.bad = {"web": "encode_failed"}
    job = house.submit(RESIZED, TO_PNG)
    house.work()
    done = shown(house, job)
    assert (done.status, done.error) == ("partial", None)
    good, bad = done.outputs
    assert (good.status, bad.status) == ("succeeded", "failed")
    assert bad.error is not None
    assert (bad.error.code, bad.url) == ("encode_failed", None)
    assert done.links["retry"] == f"/v1/jobs/{job.id}/retry"
    assert done.archive is not None
    assert done.archive.status == "succeeded"


def test_nothing_but_bad_outputs_is_a_failed_job(house: House) -> None:
    """Its error is the first output's; there is nothing to pack."""
    house.renderer.bad = {"small": "encode_failed", "web": "output_too_large"}
    job = house.submit(RESIZED, TO_PNG)
    assert house.work() == 1
    done = shown(house, job)
    assert done.error is not None
    assert (done.status, done.error.code) == ("failed", "encode_failed")
    assert done.archive is not None
    assert done.archive.status == "skipped"
    assert told(house, job)[-1] == ("done", None)


def test_running_a_stage_twice_stores_its_outputs_once(house: House) -> None:
    """A message that is delivered again finds nothing to do."""
    job = house.submit()
    stage = stage_of(house, job)
    assert run_stage(house.service, "one", stage.id)
    done = house.job(job.id)
    assert not run_stage(house.service, "two", stage.id)
    assert house.job(job.id) == done
    assert len(house.renderer.plans) == 1


def test_a_repeated_attempt_gives_the_same_files(house: House) -> None:
    """What a first attempt left is replaced under the same keys."""
    job = house.submit(RESIZED, TO_PNG)

    def dying(checkpoint: Checkpoint) -> None:
        house.blobs.away = len(house.renderer.plans) == 1

    house.renderer.trouble = dying
    run_next(house.service, "one")
    house.blobs.away = False
    writer = house.blobs.writer(f"processed/{job.id}/small.webp")
    writer.write(b"left by the first attempt")
    writer.commit()
    house.clock.advance(60)
    house.work()
    for output in house.job(job.id).outputs:
        blob = house.blobs.stat(output.key or "")
        assert blob is not None
        assert (blob.bytes, blob.sha256) == (output.bytes, output.sha256)


def test_an_idle_house_has_nothing_to_do(house: House) -> None:
    assert not run_next(house.service, "one")
    assert not run_stage(house.service, "one", "no-such-stage")


def test_a_watermark_image_is_brought_along(house: House) -> None:
    """By its key; one that has gone since is left to the engine to complain about."""
    key = "inbox/default/logo.png"
    mark = {"id": "m", "action": "watermark", "watermark": {"image": key}}
    house.blobs.writer(key).commit()
    house.submit(mark)
    house.submit(mark)
    run_next(house.service, "one")
    house.blobs.delete(key)
    house.work()
    assert [list(assets) for assets in house.renderer.assets] == [[key], []]
