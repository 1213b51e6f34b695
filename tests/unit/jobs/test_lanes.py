"""A job whose stages run on two lanes: the last one to end ends the job."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.jobs.looks import shown, told

from pixtools.domain.job import Job
from pixtools.jobs.advance import Outcome, advance
from pixtools.jobs.cancel import cancel
from pixtools.jobs.claimed import Claimed
from pixtools.jobs.ports.work import Checkpoint
from pixtools.jobs.pulse import Pulse
from pixtools.jobs.run_stage import claim, run_next
from pixtools.testing.house import ABLE, RESIZED, House

CLEAN = {"id": "clean", "action": "denoise"}


@pytest.fixture
def house() -> House:
    able = House()
    able.rule(capabilities=ABLE)
    return able


def denoising(house: House) -> Claimed:
    claimed = claim(house.service, "ml", lanes=("ml_inference_queue",))
    assert claimed is not None
    return claimed


def denoised(house: House, claimed: Claimed, job: Job) -> bool:
    """End the denoising stage as its worker will."""
    key = f"processed/{job.id}/clean.png"
    writer = house.blobs.writer(key)
    writer.write(b"clean")
    blob = writer.commit()
    clean = next(o for o in house.job(job.id).outputs if o.id == "clean")
    made = replace(clean, status="succeeded", key=key, bytes=5, sha256=blob.sha256)
    return advance(
        house.service, claimed.stage, Outcome(status="succeeded", outputs=(made,))
    ).kept


def test_each_heavy_step_is_a_stage_of_its_own(house: House) -> None:
    """On the lane of the workers that can do it; both lanes are rung."""
    job = house.submit(RESIZED, CLEAN, {**CLEAN, "id": "more"})
    assert job.stages_left == 3
    with house.database.read() as tx:
        stages = tx.stages.of_job(job.id)
    assert [(s.kind, s.lane, s.step_ids) for s in stages] == [
        ("render", "default_queue", ("small",)),
        ("denoise", "ml_inference_queue", ("clean",)),
        ("denoise", "ml_inference_queue", ("more",)),
    ]
    assert house.bell.lanes == [("default_queue", "ml_inference_queue")]


def test_the_last_stage_ends_the_job(house: House) -> None:
    """Until then the finished outputs are shown and the job goes on."""
    job = house.submit(RESIZED, CLEAN)
    claimed = denoising(house)
    run_next(house.service, "one")
    half = shown(house, job)
    assert (half.status, half.progress) == ("processing", 0.5)
    assert [(o.status, bool(o.url)) for o in half.outputs] == [
        ("succeeded", True),
        ("processing", False),
    ]
    assert told(house, job)[-1] == ("output", "small")
    assert denoised(house, claimed, job)
    done = shown(house, job)
    assert (done.status, done.progress) == ("succeeded", 1.0)
    assert house.work() == 1
    assert told(house, job)[-1] == ("done", None)


def test_progress_counts_both_lanes(house: House) -> None:
    job = house.submit(RESIZED, CLEAN)
    claimed = denoising(house)
    run_next(house.service, "one")
    pulse = Pulse(house.service, claimed.stage)
    house.clock.advance(1)
    pulse(0.5)
    assert house.job(job.id).progress == 0.75


def test_a_broken_lane_does_not_spoil_the_other(house: House) -> None:
    job = house.submit(RESIZED, CLEAN)
    claimed = denoising(house)
    run_next(house.service, "one")
    assert advance(house.service, claimed.stage, Outcome(status="failed")).kept
    assert shown(house, job).status == "partial"


def test_a_cancel_ends_what_waits_and_asks_what_runs(house: House) -> None:
    """The finished lane's file is taken back when the running one has stopped."""
    job = house.submit(RESIZED, CLEAN)
    run_next(house.service, "one")
    claimed = denoising(house)
    asked = cancel(house.service, "default", job.id)
    assert (asked.status, asked.stages_left) == ("processing", 1)
    advance(house.service, claimed.stage, Outcome(status="canceled"))
    assert house.job(job.id).status == "canceled"
    assert [output.status for output in house.job(job.id).outputs] == ["skipped"] * 2
    assert house.blobs.keys() == [job.source.key]


def test_a_cancel_drops_the_lane_that_waits(house: House) -> None:
    job = house.submit(RESIZED, CLEAN)

    def canceling(checkpoint: Checkpoint) -> None:
        asked = cancel(house.service, "default", job.id)
        assert asked.stages_left == 1
        house.clock.advance(1)
        checkpoint(0.5)

    house.renderer.trouble = canceling
    run_next(house.service, "one")
    assert house.job(job.id).status == "canceled"
    assert claim(house.service, "ml", lanes=("ml_inference_queue",)) is None


def test_a_late_claim_finds_the_job_canceled(house: House) -> None:
    """A lapsed stage of a canceled job is not run again; the job ends with it."""
    job = house.submit(CLEAN)
    lapsed = denoising(house)
    cancel(house.service, "default", job.id)
    house.clock.advance(61)
    again = claim(house.service, "other", stage_id=lapsed.stage.id)
    assert again is not None
    assert not again.wanted
    assert house.job(job.id).status == "canceled"
    assert not denoised(house, lapsed, job)
