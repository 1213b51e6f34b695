"""How strong noise is, told from a picture that nobody knows without it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import pyvips
from skimage import data
from tests.denoising import Pixels, spoiled

from pixtools.engine.denoise.film import film
from pixtools.engine.denoise.noise import estimate

PHOTOS = ("astronaut", "chelsea", "coffee")
"""Real ones, from scikit-image."""


def photo(name: str) -> Pixels:
    pixels: Pixels = getattr(data, name)()
    return pixels


def sigma_of(pixels: Pixels, folder: Path) -> float:
    image = pyvips.Image.new_from_array(pixels)
    with film(image, folder, image.rawsave) as noisy:
        return estimate(noisy)


@pytest.mark.parametrize("name", PHOTOS)
@pytest.mark.parametrize("sigma", [5, 15, 25, 50])
def test_noise_of_photos_is_known_within_a_tenth(
    name: str, sigma: int, tmp_path: Path
) -> None:
    found = sigma_of(spoiled(photo(name), sigma), tmp_path)
    assert found == pytest.approx(sigma, rel=0.1)


@pytest.mark.parametrize("name", PHOTOS)
def test_texture_is_not_taken_for_noise(name: str, tmp_path: Path) -> None:
    """The grain that the photo itself has is all: two of 255 at most."""
    assert sigma_of(photo(name), tmp_path) < 2.1


@pytest.mark.parametrize("name", PHOTOS)
def test_noise_that_was_scaled_down_is_softer_but_counts(
    name: str, tmp_path: Path
) -> None:
    """At half the size, noise of 20 is about 9, of which fine detail shows seven."""
    large = pyvips.Image.new_from_array(spoiled(photo(name), 20))
    assert 7.5 < sigma_of(large.resize(0.5).numpy(), tmp_path) < 10.5


def test_darkness_does_not_hide_the_noise_beside_it(tmp_path: Path) -> None:
    """Nine tenths of black cut the noise off where they are, not where it shows."""
    pixels = np.full((320, 320, 3), 2.0)
    pixels[:96, :96] = 120
    assert sigma_of(spoiled(pixels, 30), tmp_path) == pytest.approx(30, rel=0.1)


def test_a_bright_sky_tells_more_than_a_little_texture(tmp_path: Path) -> None:
    """Though strong noise touches white there now and then."""
    pixels = np.full((256, 256, 3), 172.0)
    grain = np.random.default_rng(1).normal(0, 30, (48, 256, 3))
    pixels[:48] = 128 + grain
    assert sigma_of(spoiled(pixels, 50), tmp_path) == pytest.approx(50, rel=0.1)


def test_colours_are_averaged_by_their_squares(tmp_path: Path) -> None:
    pixels = np.full((160, 160, 3), 120.0)
    pixels[..., 2] += np.random.default_rng(1).normal(0, 30, (160, 160))
    found = sigma_of(pixels.round().astype(np.uint8), tmp_path)
    assert found == pytest.approx(30 / np.sqrt(3), rel=0.1)


def test_sixteen_bits_are_measured_on_the_same_scale(tmp_path: Path) -> None:
    pixels = spoiled(np.full((160, 160, 3), 120.0), 12).astype(np.uint16) * 257
    assert sigma_of(pixels, tmp_path) == pytest.approx(12, rel=0.1)


@pytest.mark.parametrize("shape", [(1, 1, 3), (15, 300, 1), (300, 15, 3)])
def test_what_is_too_small_or_has_no_light_says_nothing(
    shape: tuple[int, int, int], tmp_path: Path
) -> None:
    assert sigma_of(spoiled(np.full(shape, 120.0)), tmp_path) == 0
    assert sigma_of(np.zeros((64, 64, 3), np.uint8), tmp_path) == 0
