"""How a photo looks without its noise: as one blur, since that is what these weights do.

What trained weights do is measured, not looked at: see docs/reports/denoise.md.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.denoising import clean_photo, made_pixels, opened, saved, spoiled
from tests.golden.golden import Golden
from tests.networks import blurring

from pixtools.domain.plan import Model


@pytest.mark.parametrize("model", ["quality", "fast"])
def test_noise_is_taken_out(golden: Golden, tmp_path: Path, model: Model) -> None:
    noisy = saved(spoiled(clean_photo(tmp_path, 121, 81), 30), tmp_path / "noisy.png")
    networks = opened(blurring(tmp_path / "models", model))
    facts, pixels = made_pixels(noisy, tmp_path, networks, denoise={"model": model})
    assert facts.model == model
    golden.close(pixels, decibels=45)
