"""The model card tells of the weights that are shipped."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.denoise.findings import Quality
from benchmarks.denoise.page import filled, shipped
from benchmarks.denoise.quality import Score

from pixtools.engine.denoise.clean import CLEAN_BELOW

PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "denoiser.md"
CARD = {
    "file": "denoise-fast.onnx",
    "sha256": "f" * 64,
    "bytes": 1_537_632,
    "parameters": 383_756,
    "macs_per_pixel": 95_760,
    "device": "cpu, 1 thread(s)",
    "minutes": 60.0,
    "steps": 6_000,
    "patches": 96_000,
    "patch_side": 48,
    "photographs": 2_000,
    "finished": True,
    "seed": 1,
    "versions": {"torch": "2.13.0+cpu", "python": "3.11.7"},
    "psnr": {"0": 60.0, "15": 32.6, "25": 30.0, "50": 26.5},
    "commands": [["python", "-m", "training.train", "--out", run] for run in "ab"],
}


def test_the_page_is_filled_from_the_cards_of_the_weights_in_the_package() -> None:
    """Whoever ships others runs `python -m benchmarks.denoise --only page`."""
    page = PAGE.read_text("utf-8")
    assert filled(page, shipped(), None) == page


def test_the_page_tells_from_which_noise_on_networks_run() -> None:
    assert f"below σ = {CLEAN_BELOW:g} the network" in PAGE.read_text("utf-8")


def test_a_card_is_told_with_the_command_of_each_run() -> None:
    page = filled(PAGE.read_text("utf-8"), {"fast": CARD}, None)
    told = [f"python -m training.train --out {run}" for run in "ab"]
    assert "\n".join(told) in page
    assert "32.6 / 30.0 / 26.5" in page
    assert "no weights of `quality`" in page
    assert "no weights of `fast`" not in page


def test_numbers_of_other_weights_are_not_told_of_these() -> None:
    score = Score(photo="china", sigma=15, psnr=30.0, ssim=0.9, setting=0.0)
    rows = [score, *(Score(photo="china", sigma=s, psnr=28.0, ssim=0.9, setting=0.0) for s in (25, 50))]  # fmt: skip
    found = Quality(
        crop=256,
        facts={},
        weights={"fast-float32": {"denoise-fast.onnx": "f" * 64}},
        scores={"noisy": rows, "fast-float32": rows, "fast-float32-served": rows},
        others={},
        unharmed={},
        estimates=[],
        kept=[],
    )
    page = PAGE.read_text("utf-8")
    assert "eight bits | 30.00 | 28.00 |" in filled(page, {"fast": CARD}, found)
    other = {"fast": CARD | {"sha256": "0" * 64}}
    assert "were not measured" in filled(page, other, found)


def test_a_page_without_its_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="mark weights"):
        filled("# nothing", {}, None)
