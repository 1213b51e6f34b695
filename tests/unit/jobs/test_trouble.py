"""What becomes of a job whose work goes wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.unit.jobs.looks import raising, shown, stage_of, told

from pixtools.domain.errors import (
    DatabaseUnavailable,
    Interrupted,
    LeaseLost,
    StorageUnavailable,
    TimedOut,
    WorkerLost,
)
from pixtools.jobs.ports.work import Checkpoint
from pixtools.jobs.pulse import Pulse
from pixtools.jobs.run_stage import claim, run_next, run_stage, work
from pixtools.jobs.transfer import put
from pixtools.testing.house import FACTS, RESIZED, House
from pixtools.testing.memory_blobs import MemoryWriter
from pixtools.testing.memory_jobs import MemoryDatabase
from pixtools.testing.memory_work import NO_IMAGE

TO_PNG = {"id": "web", "action": "convert", "format": "png"}
CENTRAL_DIRECTORY = b"PK\x01\x02"
BROKEN = b"GIF89a\xa0\x00\x70\x00" + NO_IMAGE.rjust(64, b"\x00")


def test_a_broken_source_fails_at_once(house: House) -> None:
    """All outputs share its error; nothing is tried again."""
    job = house.submit(RESIZED, TO_PNG, FACTS, data=BROKEN)
    assert house.work() == 1
    done = shown(house, job)
    assert done.error is not None
    assert (done.status, done.error.code) == ("failed", "corrupt_image")
    errors = [output.error.code for output in done.outputs if output.error]
    assert errors == ["corrupt_image", "corrupt_image"]
    assert stage_of(house, job).status == "failed"
    assert len(house.renderer.plans) == 1


def test_facts_of_a_broken_source_fail_the_same(house: House) -> None:
    job = house.submit(FACTS, data=BROKEN)
    house.work()
    done = shown(house, job)
    assert done.error is not None
    assert (done.status, done.error.code) == ("failed", "corrupt_image")


def test_a_source_that_changed_or_went_fails_at_once(house: House) -> None:
    """The bytes that were checked are the bytes that are used, or none."""
    swapped, gone = house.submit(), house.submit()
    writer = house.blobs.writer(swapped.source.key)
    writer.write(b"something else")
    writer.commit()
    house.blobs.delete(gone.source.key)
    house.work()
    errors = [shown(house, job).error for job in (swapped, gone)]
    codes = [error.code for error in errors if error]
    assert codes == ["upload_mismatch", "source_missing"]
    assert house.renderer.plans == []


def test_work_that_takes_too_long_fails(house: House) -> None:
    raising(house, TimedOut())
    job = house.submit()
    assert house.work() == 1
    done = shown(house, job)
    assert done.error is not None
    assert (done.status, done.error.code) == ("failed", "timed_out")


@pytest.mark.parametrize("error", [WorkerLost(), StorageUnavailable()])
def test_passing_trouble_is_tried_again_later(house: House, error: Exception) -> None:
    """After a pause that doubles, in the database and not in somebody's memory."""
    raising(house, error, error)
    job = house.submit()
    pauses = []
    for attempt in (1, 2):
        assert house.work() == 1
        stage = stage_of(house, job)
        assert (stage.status, stage.attempt, stage.lease_owner) == (
            "queued",
            attempt,
            None,
        )
        assert stage.error is not None
        pauses.append((stage.run_at - house.clock.now()).total_seconds())
        assert house.job(job.id).status == "processing"
        house.clock.advance(pauses[-1])
    assert 1 <= pauses[0] <= 3
    assert 2 <= pauses[1] <= 6
    assert house.work() == 1
    assert shown(house, job).status == "succeeded"


def test_trouble_that_does_not_pass_fails_in_the_end(house: House) -> None:
    """With the code of what happened last."""
    raising(house, *[WorkerLost() for _ in range(5)])
    job = house.submit()
    for _ in range(7):
        house.work()
        house.clock.advance(60)
    done = shown(house, job)
    assert done.error is not None
    assert (done.status, done.error.code) == ("failed", "worker_lost")
    assert done.error.retryable
    assert len(house.renderer.plans) == 5


def test_an_outage_of_half_an_hour_fails_no_job(house: House) -> None:
    """The store is away for all; a photo has its attempts for itself."""
    raising(house, *[StorageUnavailable() for _ in range(34)])
    job = house.submit()
    since = house.clock.now()
    while house.clock.now() - since < timedelta(minutes=30):
        house.work()
        house.clock.advance(10)
    assert shown(house, job).status == "processing"
    house.clock.advance(60)
    raising(house, *[WorkerLost() for _ in range(4)])
    for _ in range(8):
        house.work()
        house.clock.advance(300)
    assert shown(house, job).status == "succeeded"


def test_what_the_store_never_takes_fails_after_an_hour_or_so(house: House) -> None:
    """It may be the photo, for instance one that is too large for this disk."""
    raising(house, *[StorageUnavailable() for _ in range(99)])
    job = house.submit()
    tries = 0
    while shown(house, job).finished_at is None:
        tries += house.work()
        house.clock.advance(30)
    done = shown(house, job)
    assert done.error is not None
    assert (done.status, done.error.code) == ("failed", "storage_unavailable")
    assert 60 <= tries <= 65


def test_a_bug_is_told_to_the_runner_and_not_to_the_client(house: House) -> None:
    """The runner gets the exception to log; the client reads one plain sentence."""
    raising(house, *[ZeroDivisionError("secret") for _ in range(5)])
    job = house.submit()
    for _ in range(5):
        with pytest.raises(ZeroDivisionError):
            run_next(house.service, "one")
        house.clock.advance(60)
    done = shown(house, job)
    assert done.error is not None
    assert (done.status, done.error.code) == ("failed", "internal_error")
    assert "secret" not in done.model_dump_json()


def test_an_interruption_does_not_count(house: House) -> None:
    """A runner that is asked to stop gives its stage back, at once and whole."""
    raising(house, *[Interrupted("stopping") for _ in range(5)])
    job = house.submit()
    for _ in range(5):
        run_next(house.service, "one")
        assert stage_of(house, job).run_at == house.clock.now()
    house.work()
    assert shown(house, job).status == "succeeded"


def test_an_output_that_the_renderer_forgot_fails(house: House) -> None:
    """Rather than being pending for ever."""
    job = house.submit(RESIZED, TO_PNG)
    render = house.renderer.render

    def forgetful(*args: object, **kwargs: object) -> object:
        report = render(*args, **kwargs)  # type: ignore[arg-type] # passed on
        return replace(report, outputs=report.outputs[:1])

    house.renderer.render = forgetful  # type: ignore[method-assign, assignment] # a fake
    house.work()
    good, bad = shown(house, job).outputs
    assert (good.status, bad.status) == ("succeeded", "failed")


def test_a_zombie_writes_nothing(house: House) -> None:
    """Frozen past its lease, it finds its claim gone before it makes a file visible."""
    job = house.submit()

    def overtaken(checkpoint: Checkpoint) -> None:
        if len(house.renderer.plans) == 1:
            house.clock.advance(61)
            run_stage(house.service, "two", stage_of(house, job).id)

    house.renderer.trouble = overtaken
    before = house.bell.subjects.copy()
    run_next(house.service, "one")
    done = house.job(job.id)
    assert (done.status, stage_of(house, job).attempt) == ("succeeded", 2)
    assert told(house, job).count(("output", "small")) == 1
    assert house.bell.subjects != before


def test_a_zombie_makes_no_archive_visible(house: House) -> None:
    """Frozen over its very last bytes, it looks at its claim before the file shows."""
    house.rule(ahead_bytes=0)
    job = house.submit()
    packing = house.step()
    assert packing
    show, write = house.blobs.put, MemoryWriter.write
    visible: list[str] = []

    def counted(key: str, thing: object) -> object:
        visible.append(key)
        return show(key, thing)  # type: ignore[arg-type] # passed on

    class Frozen(MemoryWriter):
        def write(self, chunk: bytes) -> None:
            write(self, chunk)
            if chunk.startswith(CENTRAL_DIRECTORY):
                house.blobs.writer = writer  # type: ignore[method-assign] # the real one
                house.clock.advance(61)
                with house.database.read() as tx:
                    (stage,) = tx.stages.lapsed(house.clock.now(), 9)
                assert run_stage(house.service, "two", stage.id)

    def frozen(key: str, content_type: str | None = None) -> MemoryWriter:
        return Frozen(house.blobs, key, content_type)

    writer = house.blobs.writer
    house.blobs.put = counted  # type: ignore[method-assign, assignment] # a fake
    house.blobs.writer = frozen  # type: ignore[method-assign] # a fake
    work(house.service, packing)
    assert visible == [f"archives/{job.id}/bundle.zip"]
    assert shown(house, job).archive is not None


def test_an_empty_file_is_put_away_under_a_sure_claim_too(
    house: House, tmp_path: Path
) -> None:
    """There is no chunk to look between."""
    house.submit()
    claimed = claim(house.service, "one", lanes=("default_queue",))
    assert claimed is not None
    pulse = Pulse(house.service, claimed.stage)
    house.clock.advance(61)
    assert claim(house.service, "two", stage_id=claimed.stage.id)
    file = tmp_path / "empty"
    file.touch()
    with pytest.raises(LeaseLost):
        put(house.blobs, file, "processed/x/y", "image/webp", pulse)
    assert house.blobs.stat("processed/x/y") is None


def test_a_lost_claim_ends_the_work(house: House) -> None:
    """Whatever the renderer makes of it, nothing is settled."""
    job = house.submit()
    raising(house, LeaseLost())
    run_next(house.service, "one")
    assert stage_of(house, job).status == "running"


def test_a_database_that_is_away_leaves_the_stage_to_the_reaper(house: House) -> None:
    database = house.database
    assert isinstance(database, MemoryDatabase)
    job = house.submit()

    def gone(checkpoint: Checkpoint) -> None:
        database.away = True

    house.renderer.trouble = gone
    with pytest.raises(DatabaseUnavailable):
        run_next(house.service, "one")
    database.away = False
    assert stage_of(house, job).status == "running"
