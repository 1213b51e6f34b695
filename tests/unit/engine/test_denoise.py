"""Noise goes, the picture stays: what a caller of `render` may rely on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.networks import blurring, by_chance
from tests.plans import output, plan

from pixtools.domain.errors import Canceled
from pixtools.domain.plan import Denoise, OutputPlan
from pixtools.domain.report import OutputFacts, from_json, to_json
from pixtools.engine import Denoisers, EngineConfig, render
from pixtools.engine.abilities import abilities
from pixtools.testing.compare import pixels_of, psnr
from pixtools.testing.images import photo_jpeg

WIDTH, HEIGHT = 603, 407
"""Odd, and of several tiles."""

Pixels = NDArray[Any]


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Pixels:
    """A photograph without noise: scaled down from one four times as large."""
    path = tmp_path_factory.mktemp("clean") / "photo.jpg"
    with Image.open(photo_jpeg(path, 4 * WIDTH, 4 * HEIGHT)) as image:
        image.draft("RGB", (WIDTH, HEIGHT))
        return np.asarray(image.resize((WIDTH, HEIGHT), Image.Resampling.BOX))


@pytest.fixture(scope="module")
def noisy(clean: Pixels, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with noise of 20 out of 255."""
    return saved(spoiled(clean), tmp_path_factory.mktemp("noisy") / "noisy.png")


@pytest.fixture(scope="module")
def blur(tmp_path_factory: pytest.TempPathFactory) -> Denoisers:
    folder = tmp_path_factory.mktemp("blur")
    return opened(blurring(blurring(folder, "fast"), "quality"))


@pytest.fixture(scope="module")
def chance(tmp_path_factory: pytest.TempPathFactory) -> Denoisers:
    folder = tmp_path_factory.mktemp("chance")
    return opened(by_chance(by_chance(folder, "fast"), "quality"))


def opened(folder: Path, **config: Any) -> Denoisers:
    return Denoisers(EngineConfig(models_dir=folder, denoise_threads=1, **config))


def spoiled(pixels: Pixels, sigma: float = 20.0) -> Pixels:
    grain = np.random.default_rng(7).normal(0.0, sigma, pixels.shape)
    spoiled: Pixels = (pixels + grain).clip(0, 255).round().astype(np.uint8)
    return spoiled


def saved(pixels: Pixels, path: Path) -> Path:
    Image.fromarray(pixels).save(path, compress_level=1)
    return path


def wanted(format: str = "png", **options: Any) -> OutputPlan:
    denoise = Denoise(**options.pop("denoise", {}))
    return replace(output(format, **options), action="denoise", denoise=denoise)


def made(
    source: Path, scratch: Path, denoisers: Denoisers, format: str = "png", **o: Any
) -> tuple[OutputFacts, Pixels]:
    report = render(source, plan(wanted(format, **o)), scratch, denoisers=denoisers)
    assert report.failures == ()
    assert from_json(to_json(report)) == report
    (facts,) = report.outputs
    return facts, pixels_of(scratch / facts.file)


@pytest.mark.parametrize("model", ["quality", "fast"])
def test_a_noisy_photo_comes_back_cleaner(
    noisy: Path, clean: Pixels, tmp_path: Path, blur: Denoisers, model: str
) -> None:
    facts, pixels = made(noisy, tmp_path, blur, denoise={"model": model})
    assert psnr(pixels, clean) > psnr(pixels_of(noisy), clean) + 2
    assert (facts.model, facts.skipped) == (model, None)
    assert facts.noise_sigma == pytest.approx(20, rel=0.15)
    assert [path.name for path in tmp_path.iterdir()] == [facts.file]


def test_the_best_network_runs_where_none_is_named(
    noisy: Path, tmp_path: Path, blur: Denoisers
) -> None:
    assert made(noisy, tmp_path, blur)[0].model == "quality"
    only_fast = opened(blurring(tmp_path / "models", "fast"))
    assert made(noisy, tmp_path, only_fast)[0].model == "fast"


def test_a_clean_photo_is_left_alone(
    clean: Pixels, tmp_path: Path, blur: Denoisers
) -> None:
    facts, pixels = made(saved(clean, tmp_path / "clean.png"), tmp_path, blur)
    assert (facts.model, facts.skipped) == (None, "clean")
    assert facts.noise_sigma is not None
    assert facts.noise_sigma < 1.5
    assert np.array_equal(pixels, clean)


def test_strength_blends(noisy: Path, tmp_path: Path, chance: Denoisers) -> None:
    """Each step is as large as the next, and none keeps the photo."""
    none, half, full = (
        made(noisy, tmp_path, chance, denoise={"strength": strength})[1]
        for strength in (0.0, 0.5, 1.0)
    )
    assert np.array_equal(none, pixels_of(noisy))
    assert not np.array_equal(full, none)
    between = (none.astype(int) + full) / 2
    uncut = (full > 0) & (full < 255)
    assert np.abs(half - between)[uncut].max() <= 1


def test_noise_is_removed_after_scaling_down_and_before_scaling_up(
    noisy: Path, tmp_path: Path, blur: Denoisers
) -> None:
    small, _ = made(noisy, tmp_path, blur, width=WIDTH // 3)
    large, _ = made(noisy, tmp_path, blur, width=2 * WIDTH, enlarge=True)
    assert small.noise_sigma is not None
    assert small.noise_sigma < 12
    assert large.noise_sigma == pytest.approx(20, rel=0.15)
    assert (large.width, large.height) == (2 * WIDTH, 2 * HEIGHT)


def test_other_outputs_of_the_render_keep_their_noise(
    noisy: Path, tmp_path: Path, blur: Denoisers
) -> None:
    outputs = (output("png", id="plain"), replace(wanted(), id="cleaned"))
    report = render(noisy, plan(*outputs), tmp_path, denoisers=blur)
    plain, cleaned = report.outputs
    assert (plain.noise_sigma, plain.model, plain.skipped) == (None, None, None)
    assert cleaned.model == "quality"
    assert np.array_equal(pixels_of(tmp_path / plain.file), pixels_of(noisy))


def test_a_network_that_is_not_there_fails_the_output(
    noisy: Path, tmp_path: Path
) -> None:
    only_fast = opened(blurring(tmp_path / "models", "fast"))
    asked = wanted(denoise={"model": "quality"})
    report = render(noisy, plan(asked), tmp_path, denoisers=only_fast)
    (failure,) = report.failures
    assert failure.code == "denoiser_unusable"
    assert failure.detail == (
        "Expected one of the denoisers that are here (fast) but received quality."
    )


def test_a_cancel_is_heard_between_tiles(
    noisy: Path, tmp_path: Path, blur: Denoisers
) -> None:
    heard: list[float] = []

    def checkpoint(share: float) -> None:
        heard.append(share)
        if share > 0.5:
            raise Canceled

    with pytest.raises(Canceled):
        render(noisy, plan(wanted()), tmp_path, denoisers=blur, checkpoint=checkpoint)
    assert len([share for share in heard if share > 0.1]) >= 2
    assert list(tmp_path.iterdir()) == []


def test_abilities_name_the_networks_that_are_there(blur: Denoisers) -> None:
    assert abilities(blur).models == ("quality", "fast")
    assert "denoise" in abilities(blur).actions
