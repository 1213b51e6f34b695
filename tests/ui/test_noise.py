"""Noise goes by a switch on the page, which says what was found."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.ui


def grain(pixels: bytes | Path) -> float:
    """How far pixels of a grey picture are from each other, out of 255."""
    with Image.open(io.BytesIO(pixels) if isinstance(pixels, bytes) else pixels) as one:
        return float(np.asarray(one.convert("L"), dtype=float).std())


@pytest.fixture
def noisy(tmp_path: Path) -> Path:
    """Grey with noise of 20 out of 255, and nothing else."""
    noise = np.random.default_rng(7).normal(128, 20, (120, 200, 3))
    path = tmp_path / "noisy.png"
    Image.fromarray(noise.clip(0, 255).astype(np.uint8)).save(path)
    return path


def cleaned(page: Page, photo: Path) -> str:
    """Send a photo and wait; what its output says."""
    page.locator("#files").set_input_files(str(photo))
    page.locator("#go").click()
    expect(page.locator(".status.succeeded")).to_have_count(1)
    return page.locator(".outputs li").inner_text()


def test_a_noisy_photo_comes_back_clean(page: Page, noisy: Path) -> None:
    """By the network, and as strongly, as the controls say."""
    expect(page.get_by_label("Model")).to_be_hidden()
    page.get_by_label("Remove noise").check()
    choices = page.get_by_label("Model").locator("option")
    assert choices.all_inner_texts() == ["auto", "quality", "fast"]
    page.get_by_label("Model").select_option("fast")
    page.get_by_label("Strength").fill("0.9")
    said = cleaned(page, noisy)
    assert "Removed noise of σ" in said
    assert "by fast" in said
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download webp").click()
    assert grain(Path(waiting.value.path())) < 0.75 * grain(noisy)


def test_a_clean_photo_is_said_to_be_clean(page: Page, tmp_path: Path) -> None:
    page.get_by_label("Remove noise").check()
    photo = tmp_path / "clean.png"
    Image.linear_gradient("L").convert("RGB").save(photo)
    assert "Already clean" in cleaned(page, photo)


def test_noise_that_nobody_minds_stays(page: Page, noisy: Path) -> None:
    assert "noise" not in cleaned(page, noisy).lower()
