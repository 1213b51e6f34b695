"""Validation photographs: real, shipped by test dependencies, the same everywhere."""

from __future__ import annotations

import math

import numpy as np
import pytest
from training.photos import Photo, held_out, noisy, psnr


def test_photographs_come_out_of_installed_packages() -> None:
    """Each in colour, from 0 to 1, its sides even, as the fast network needs them."""
    photos = held_out(65)
    assert {"china", "flower"} <= {photo.name for photo in photos}
    for photo in photos:
        assert photo.pixels.shape == (64, 64, 3)
        assert photo.pixels.dtype == np.float32
        assert 0.0 <= photo.pixels.min() < photo.pixels.max() <= 1.0


@pytest.mark.parametrize("sigma", [15, 25, 50])
def test_noise_is_as_strong_as_it_is_called(sigma: int) -> None:
    grey = Photo("grey", np.full((96, 96, 3), 0.5, np.float32))
    error = noisy(grey, sigma, 0) - grey.pixels
    assert error.std() * 255 == pytest.approx(sigma, rel=0.02)
    assert abs(error.mean()) * 255 < 1


def test_noise_is_the_same_each_time_and_another_on_each_photograph() -> None:
    grey = Photo("grey", np.full((8, 8, 3), 0.5, np.float32))
    assert np.array_equal(noisy(grey, 25, 1), noisy(grey, 25, 1))
    assert not np.array_equal(noisy(grey, 25, 1), noisy(grey, 25, 2))


def test_decibels_follow_from_the_mean_square() -> None:
    """An error of a tenth everywhere is 20 dB."""
    flat = np.full((4, 4, 3), 0.5, np.float32)
    assert psnr(flat + np.float32(0.1), flat) == pytest.approx(20.0, abs=1e-4)
    assert math.isfinite(psnr(flat, flat))


def test_what_is_brighter_than_white_counts_as_white() -> None:
    white = np.ones((4, 4, 3), np.float32)
    assert psnr(white * 3, white) == psnr(white, white)
