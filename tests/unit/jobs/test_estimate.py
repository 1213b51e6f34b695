"""What is heavy is known before anything is decoded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.jobs.looks import stage_of

from pixtools.domain.job import Lane, Source, Stage
from pixtools.domain.limits import Limits
from pixtools.domain.pipeline import Pipeline
from pixtools.jobs.estimate import (
    LONGEST_MS,
    LONGEST_SECONDS,
    denoising_ms,
    longest_seconds,
    rendering_ms,
)
from pixtools.jobs.run_stage import due_in, run_next
from pixtools.jobs.work import is_heavy
from pixtools.testing.house import ABLE, RESIZED, House, tiny_gif

PHOTO = Source(
    type="upload", key="k", bytes=4_000_000, format="jpg", width=4000, height=3000
)
CLEAN = {"id": "clean", "action": "denoise"}
STANDARD_LANE: tuple[Lane, ...] = ("default_queue",)
SLOW = {"id": "slow", "action": "convert", "format": "avif", "effort": 9}


def cost(source: Source, *steps: dict[str, Any]) -> int:
    named = [{"id": f"step{n}", **step} for n, step in enumerate(steps)]
    plan = Pipeline.parse(named).plan(source.format or "")
    return rendering_ms(source, plan.outputs)


WEB = {"action": "resize", "width": 1024, "format": "webp"}
FULL_AVIF = {"action": "convert", "format": "avif"}


def test_a_gallery_is_light_and_a_huge_avif_is_heavy(house: House) -> None:
    gallery = cost(PHOTO, WEB, {**WEB, "format": "png"}, {**WEB, "width": 320})
    assert gallery < 1000
    huge = replace(PHOTO, width=8000, height=6000)
    assert cost(huge, FULL_AVIF) > house.rules.heavy_ms


@pytest.mark.parametrize(
    ("less", "more"),
    [
        ((WEB,), (WEB, WEB)),
        ((WEB,), ({**WEB, "width": 2048},)),
        ((WEB,), ({**WEB, "effort": 6},)),
        ((WEB,), ({**WEB, "lossless": True},)),
        ((WEB,), ({**WEB, "max_bytes": 1000},)),
        ((WEB,), ({"action": "convert", "format": "webp"},)),
    ],
)
def test_more_work_costs_more(less: Any, more: Any) -> None:
    assert cost(PHOTO, *less) < cost(PHOTO, *more)


def test_a_small_box_makes_a_small_price() -> None:
    """Whatever the source: pixels that are not made are not written."""
    assert cost(PHOTO, {**FULL_AVIF, "width": 100}) < 0.1 * cost(PHOTO, FULL_AVIF)


def test_frames_that_are_kept_are_paid_for() -> None:
    film = replace(PHOTO, format="gif", width=400, height=300, bytes=2_400_000)
    moving = {"action": "convert", "format": "webp", "animated": True}
    still = {**moving, "animated": False}
    assert cost(film, moving) > 20 * cost(film, still)
    assert cost(PHOTO, moving) == cost(PHOTO, still)


def test_no_price_is_too_high_to_be_stored() -> None:
    vast = replace(PHOTO, width=65_535, height=65_535)
    assert cost(vast, *[{**FULL_AVIF, "effort": 9}] * 32) == LONGEST_MS


def test_a_source_of_unknown_size_is_no_trouble() -> None:
    assert cost(replace(PHOTO, width=None, height=None, bytes=None), WEB) < 100


def network(
    source: Source, *, models: Any = ("quality", "fast"), **options: Any
) -> int:
    """Milliseconds of denoising, without those of decoding and writing."""
    step = {"id": "clean", "action": "denoise", **options}
    output = Pipeline.parse([step]).plan(source.format or "").outputs[0]
    return denoising_ms(source, output, models) - rendering_ms(source, [output])


def test_denoising_costs_what_its_network_does() -> None:
    """Left out it is the best that is there."""
    quality, fast = network(PHOTO, model="quality"), network(PHOTO, model="fast")
    assert quality >= 4 * fast > 1000
    assert network(PHOTO) == quality
    assert network(PHOTO, models=("fast",)) == fast


@pytest.mark.parametrize(
    ("options", "megapixels"),
    [
        ({}, 12.0),
        ({"width": 1000}, 0.75),
        ({"width": 1000, "height": 1000, "fit": "cover"}, 1.0),
        ({"width": 1000, "height": 1000, "fit": "contain"}, 0.75),
        ({"width": 8000, "enlarge": True}, 12.0),
    ],
)
def test_denoising_costs_by_the_size_that_is_denoised(
    options: dict[str, Any], megapixels: float
) -> None:
    """After it was made smaller or cut; before it is made larger or padded."""
    whole = network(PHOTO, format="jpg")
    asked = network(PHOTO, format="jpg", **options)
    assert asked == pytest.approx(whole * megapixels / 12, rel=0.01)


def test_a_large_photo_has_longer_to_be_denoised() -> None:
    """In proportion to its estimate, but never so long that a token is taken back."""
    limits = Limits(timeout_seconds=120)
    assert longest_seconds(limits) == 120
    assert longest_seconds(limits, 10_000) == 160
    assert longest_seconds(limits, LONGEST_MS) == LONGEST_SECONDS
    patient = Limits(timeout_seconds=7200)
    assert longest_seconds(patient, LONGEST_MS) == 7200


def stages(house: House, job_id: str) -> list[Stage]:
    with house.database.read() as tx:
        return list(tx.stages.of_job(job_id))


def test_each_stage_carries_its_price(house: House) -> None:
    light = house.submit()
    heavy = house.submit(SLOW, data=tiny_gif(4000, 3000))
    assert 0 < stage_of(house, light).cost_ms < 100
    assert stage_of(house, heavy).cost_ms > house.rules.heavy_ms
    assert not is_heavy(house.rules, stage_of(house, light))
    assert is_heavy(house.rules, stage_of(house, heavy))


def test_who_does_light_work_only_leaves_the_rest_and_sleeps(house: House) -> None:
    """It does not even look again before there is something for it."""
    heavy = house.submit(SLOW, data=tiny_gif(4000, 3000))
    assert run_next(house.service, "one", light_only=True) is None
    assert due_in(house.service, STANDARD_LANE, light_only=True) is None
    assert due_in(house.service, STANDARD_LANE) is not None
    light = house.submit()
    ran = run_next(house.service, "one", light_only=True)
    assert ran is not None
    assert ran.job_id == light.id
    ran = run_next(house.service, "one")
    while ran and ran.kind == "archive":
        ran = run_next(house.service, "one")
    assert ran is not None
    assert ran.job_id == heavy.id


@pytest.mark.parametrize("isolated", [True, False])
def test_denoising_is_heavy_wherever_it_runs(house: House, isolated: bool) -> None:
    """Without a lane of its own it waits with everything else."""
    house.rule(capabilities=ABLE, ml_isolated=isolated)
    render, denoise = stages(house, house.submit(RESIZED, CLEAN).id)
    assert (render.lane, is_heavy(house.rules, render)) == ("default_queue", False)
    lane = "ml_inference_queue" if isolated else "default_queue"
    assert (denoise.kind, denoise.lane) == ("denoise", lane)
    assert is_heavy(house.rules, denoise)
    assert denoise.cost_ms >= house.rules.heavy_ms
