from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixtools.testing.compare import (
    Difference,
    dhash,
    dhash_distance,
    difference,
    main,
    pixels_of,
    psnr,
    side_by_side,
    ssim,
)
from pixtools.testing.images import photo
from pixtools.testing.libraries import Pixels


def harmed(pixels: Pixels, deviation: float) -> Pixels:
    noise = np.random.RandomState(5).normal(0, deviation, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype("u1")


def test_equal_pictures_have_no_difference() -> None:
    one = photo(48, 32)
    assert difference(one, one) == Difference(0, 0)
    assert psnr(one, one) == math.inf
    assert ssim(one, one) == pytest.approx(1)
    assert dhash_distance(one, one) == 0


def test_a_difference_is_measured() -> None:
    black = np.zeros((10, 10), "u1")
    dotted = black.copy()
    dotted[0, 0] = 200
    assert difference(black, dotted) == Difference(2, 200)
    assert psnr(black, dotted) == pytest.approx(10 * math.log10(255**2 / 400))


def test_pictures_of_different_shape_are_not_compared() -> None:
    with pytest.raises(ValueError, match="of one shape"):
        difference(photo(8, 8), photo(8, 9))


def test_more_noise_is_less_alike() -> None:
    one = photo(96, 64)
    likeness = [ssim(one, harmed(one, deviation)) for deviation in (0, 5, 20, 60)]
    assert likeness == sorted(likeness, reverse=True)


def test_similarity_is_that_of_scikit_image() -> None:
    metrics = pytest.importorskip("skimage.metrics")
    one = np.asarray(Image.fromarray(photo(96, 64)).convert("L")).astype(float)
    other = harmed(one.astype("u1"), 12).astype(float)
    theirs = metrics.structural_similarity(one, other, data_range=255)
    assert ssim(one, other) == pytest.approx(theirs, abs=0.005)


def test_a_hash_survives_resizing_and_compression_but_not_another_picture() -> None:
    one = photo(320, 240)
    small = np.asarray(Image.fromarray(one).resize((160, 120)))
    assert dhash_distance(one, small) <= 2
    assert dhash_distance(one, harmed(one, 10)) <= 4
    assert dhash_distance(one, photo(320, 240, seed=3)) > 10
    assert 0 <= dhash(one) < 2**64


def test_side_by_side_shows_both_and_the_difference() -> None:
    one, other = photo(40, 30), photo(40, 30, seed=1)
    assert side_by_side(one, other).shape == (30, 3 * 48, 3)
    assert side_by_side(one, photo(20, 50)).shape == (50, 48 + 28, 3)


def test_files_of_every_mode_are_decoded(tmp_path: Path) -> None:
    for mode, shape in (
        ("1", (4, 6, 3)),
        ("L", (4, 6)),
        ("P", (4, 6, 3)),
        ("RGBA", (4, 6, 4)),
    ):
        path = tmp_path / f"{mode}.png"
        Image.new(mode, (6, 4)).save(path)
        assert pixels_of(path).shape == shape
        assert pixels_of(path.read_bytes()).shape == shape


def test_the_command_tells_and_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [tmp_path / "expected.png", tmp_path / "actual.png"]
    for path, seed in zip(paths, (0, 1), strict=True):
        Image.fromarray(photo(40, 30, seed)).save(path)
    assert main([str(paths[0]), str(paths[0])]) == 0
    assert main([str(path) for path in paths]) == 1
    assert "PSNR" in capsys.readouterr().out
    assert pixels_of(tmp_path / "actual.comparison.png").shape == (30, 144, 3)
    Image.fromarray(photo(8, 8)).save(paths[1])
    assert main([str(path) for path in paths]) == 1
    assert "Expected a picture of (30, 40, 3)" in capsys.readouterr().out
