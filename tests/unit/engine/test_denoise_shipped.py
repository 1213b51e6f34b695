"""The package's own networks: there, whole, and able to do what they are for."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from tests.denoising import Pixels, clean_photo, made_pixels, opened, saved, spoiled

from pixtools.domain.plan import Model

PRECISIONS = ("auto", "float32")
"""Whole numbers where the processor is quick with them, and fractions."""


def decibels(one: Pixels, other: Pixels) -> float:
    error = np.mean(np.square(one.astype(np.float64) - other))
    return float(10.0 * np.log10(255.0**2 / error))


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("model", get_args(Model))
@pytest.mark.parametrize(("sigma", "gain"), [(12, 3.8), (25, 6.0), (45, 7.8)])
def test_noise_of_any_strength_goes(
    tmp_path: Path, sigma: float, gain: float, model: Model, precision: Any
) -> None:
    clean = clean_photo(tmp_path, 192, 144)
    noisy = saved(spoiled(clean, sigma), tmp_path / "noisy.png")
    networks = opened(tmp_path / "none imported", precision=precision)
    facts, pixels = made_pixels(noisy, tmp_path, networks, denoise={"model": model})
    assert facts.model == model
    before = decibels(spoiled(clean, sigma), clean)
    assert decibels(pixels, clean) > before + gain
