"""Noise goes, the picture stays: what a caller of `render` may rely on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence
from tests.denoising import (
    Pixels,
    clean_photo,
    made,
    made_pixels,
    opened,
    saved,
    spoiled,
    wanted,
)
from tests.networks import blurring, by_chance
from tests.plans import output, plan

from pixtools.domain.errors import Canceled
from pixtools.engine import Denoisers, render
from pixtools.engine.abilities import abilities
from pixtools.testing.compare import pixels_of, psnr

WIDTH, HEIGHT = 603, 407
"""Odd, and of several tiles."""


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Pixels:
    return clean_photo(tmp_path_factory.mktemp("clean"), WIDTH, HEIGHT)


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
    return opened(by_chance(tmp_path_factory.mktemp("chance"), "quality"))


@pytest.mark.parametrize("model", ["quality", "fast"])
def test_a_noisy_photo_comes_back_cleaner(
    noisy: Path, clean: Pixels, tmp_path: Path, blur: Denoisers, model: str
) -> None:
    facts, pixels = made_pixels(noisy, tmp_path, blur, denoise={"model": model})
    assert psnr(pixels, clean) > psnr(pixels_of(noisy), clean) + 2
    assert (facts.model, facts.skipped) == (model, None)
    assert facts.noise_sigma == pytest.approx(20, rel=0.15)
    assert [path.name for path in tmp_path.iterdir()] == [facts.file]


@pytest.mark.usefixtures("shipped")
def test_the_best_network_runs_where_none_is_named(
    noisy: Path, tmp_path: Path, blur: Denoisers
) -> None:
    assert made_pixels(noisy, tmp_path, blur)[0].model == "quality"
    only_fast = opened(blurring(tmp_path / "models", "fast"))
    assert made_pixels(noisy, tmp_path, only_fast)[0].model == "fast"


def test_a_clean_photo_is_left_alone(
    clean: Pixels, tmp_path: Path, blur: Denoisers
) -> None:
    source = saved(clean, tmp_path / "clean.png")
    facts, pixels = made_pixels(source, tmp_path, blur)
    assert (facts.model, facts.skipped) == (None, "clean")
    assert facts.noise_sigma is not None
    assert facts.noise_sigma < 2
    assert np.array_equal(pixels, clean)


def test_strength_blends(noisy: Path, tmp_path: Path, chance: Denoisers) -> None:
    """Each step is as large as the next, and none keeps the photo."""
    none, half, full = (
        made_pixels(noisy, tmp_path, chance, denoise={"strength": strength})[1]
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
    small, _ = made_pixels(noisy, tmp_path, blur, width=WIDTH // 3)
    large, _ = made_pixels(noisy, tmp_path, blur, width=2 * WIDTH, enlarge=True)
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


@pytest.mark.usefixtures("shipped")
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


def test_a_file_of_few_bytes_is_without_noise_as_well(
    noisy: Path, tmp_path: Path, blur: Denoisers
) -> None:
    """The file is written several times, the noise is taken out once."""
    heard: list[float] = []
    facts, _ = made(noisy, tmp_path, blur, "jpg", max_bytes=30_000)
    assert (facts.model, facts.bytes <= 30_000) == ("quality", True)
    asked = plan(wanted("jpg", max_bytes=30_000))
    render(noisy, asked, tmp_path, denoisers=blur, checkpoint=heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == 1.0


def test_what_a_file_says_about_its_photo_is_kept_where_asked(
    noisy: Path, tmp_path: Path, blur: Denoisers
) -> None:
    source = tmp_path / "tagged.jpg"
    with Image.open(noisy) as image:
        exif = Image.Exif()
        exif[0x8298] = "(c) Ada"
        image.save(source, exif=exif, dpi=(300, 300), quality=95)
    keep = {"keep_metadata": "copyright"}
    _, file = made(source, tmp_path, blur, "jpg", **keep)
    with Image.open(file) as image:
        assert image.getexif()[0x8298] == "(c) Ada"


def test_each_frame_of_an_animation_loses_its_own_noise(
    clean: Pixels, tmp_path: Path, blur: Denoisers
) -> None:
    """Also where another frame has none."""
    small = clean[:96, :128]
    frames = [Image.fromarray(p) for p in (small, spoiled(small), spoiled(small, 9))]
    source = tmp_path / "moving.webp"
    frames[0].save(source, save_all=True, lossless=True, append_images=frames[1:])
    options = {"animated": True, "lossless": True, "denoise": {"model": "fast"}}
    facts, file = made(source, tmp_path, blur, "webp", **options)
    assert (facts.frames, facts.model, facts.skipped) == (3, "fast", None)
    assert facts.noise_sigma == pytest.approx(20, rel=0.2)
    with Image.open(file) as image:
        shown = [np.asarray(f.convert("RGB")) for f in ImageSequence.Iterator(image)]
    assert np.array_equal(shown[0], small)
    # A blur of nine takes two thirds of noise away, and some of the picture.
    gain = psnr(shown[1], small) - psnr(np.asarray(frames[1]), small)
    assert gain > 2
    assert not np.array_equal(shown[2], np.asarray(frames[2]))


def test_an_output_without_noise_never_is_the_source(
    noisy: Path, tmp_path: Path, blur: Denoisers
) -> None:
    facts, _ = made(noisy, tmp_path, blur, never_larger=True)
    assert not facts.kept_source


def test_a_scratch_folder_that_can_t_be_written_fails_the_output(
    noisy: Path, tmp_path: Path, blur: Denoisers
) -> None:
    report = render(noisy, plan(wanted()), tmp_path / "absent", denoisers=blur)
    (failure,) = report.failures
    assert failure.code == "encode_failed"
    assert str(tmp_path) not in failure.detail
