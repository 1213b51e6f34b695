"""Denoising, from what is asked to what is told of it."""

from __future__ import annotations

import pytest
from tests.unit.jobs.looks import shown, stage_of

from pixtools.domain.errors import InvalidPipeline
from pixtools.domain.job import Lane
from pixtools.domain.plan import Denoise
from pixtools.jobs.run_stage import run_next
from pixtools.testing.house import ABLE, RESIZED, House

CLEAN = {"id": "clean", "action": "denoise"}
WEB = {**RESIZED, "id": "web", "denoise": {"model": "fast", "strength": 0.5}}
ML: tuple[Lane, ...] = ("ml_inference_queue",)


@pytest.fixture
def house() -> House:
    able = House()
    able.rule(capabilities=ABLE)
    return able


def test_a_step_and_an_option_are_made_on_the_lane_of_networks(house: House) -> None:
    """Each in a render of its own; the light one knows nothing of them."""
    job = house.submit(RESIZED, CLEAN, WEB)
    assert house.work(lanes=ML) == 2
    assert house.work() == 1
    assert shown(house, job).status == "succeeded"
    noisy = [[(o.id, o.denoise) for o in plan.outputs] for plan in house.renderer.plans]
    assert noisy == [
        [("clean", Denoise())],
        [("web", Denoise(model="fast", strength=0.5))],
        [("small", None)],
    ]


def test_the_output_says_what_was_found_and_what_ran(house: House) -> None:
    job = house.submit(RESIZED, CLEAN, WEB)
    house.work(lanes=ML)
    house.work()
    told = [
        (output.id, output.noise_sigma, output.model, output.skipped)
        for output in shown(house, job).outputs
    ]
    assert told == [
        ("small", None, None, None),
        ("clean", 12.5, "quality", None),
        ("web", 12.5, "fast", None),
    ]


def test_a_clean_photo_is_said_to_be_clean(house: House) -> None:
    house.renderer.noise = 0.4
    job = house.submit(CLEAN)
    house.work(lanes=ML)
    output = shown(house, job).outputs[0]
    assert (output.noise_sigma, output.model, output.skipped) == (0.4, None, "clean")


def test_denoising_may_take_as_long_as_its_photo_asks_for(house: House) -> None:
    """Light work keeps the usual bound."""
    job = house.submit(RESIZED, CLEAN)
    with house.database.read() as tx:
        heavy = next(s for s in tx.stages.of_job(job.id) if s.kind == "denoise")
    house.work(lanes=ML)
    house.work()
    usual = house.rules.limits.timeout_seconds
    patient = usual + 4 * heavy.cost_ms / 1000
    assert house.renderer.timeouts == [patient, usual]


def test_without_a_lane_of_its_own_every_worker_denoises(house: House) -> None:
    house.rule(ml_isolated=False)
    job = house.submit(CLEAN)
    assert run_next(house.service, "one") is not None
    assert shown(house, job).outputs[0].model == "quality"


def test_a_source_that_is_left_out_decides_what_is_written(house: House) -> None:
    """Options that do not fit it are refused on the lane of networks, too."""
    with pytest.raises(InvalidPipeline, match="lossy formats only"):
        house.submit({**CLEAN, "quality": 80})
    job = house.submit({**WEB, "format": None})
    assert stage_of(house, job).kind == "denoise"
    assert house.job(job.id).outputs[0].format == "gif"
