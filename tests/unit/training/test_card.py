"""The card that goes with weights."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from training.card import Story, versions, written

from pixtools.engine.denoise.variants import QUALITY

STORY: Story = {
    "commands": [["python", "-m", "training.train"]],
    "seed": 1,
    "device": "a GPU",
    "finished": True,
    "minutes": 12.0,
    "steps": 20_000,
    "patches": 2_560_000,
    "patch_side": 96,
    "photographs": 90_000,
    "validated_on": ["china"],
    "validation_crop": 256,
    "psnr": {"25": 31.0},
    "psnr_noisy": {"25": 20.2},
    "export_difference": 1e-6,
    "history": [],
}


def test_the_card_names_exactly_the_file_beside_it(tmp_path: Path) -> None:
    weights = tmp_path / "denoise-quality.onnx"
    weights.write_bytes(b"not really weights")
    written(tmp_path / "card.json", weights, QUALITY, STORY)
    card = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    assert card["file"] == "denoise-quality.onnx"
    assert card["sha256"] == hashlib.sha256(b"not really weights").hexdigest()
    assert card["bytes"] == 18


def test_the_card_says_what_the_engine_must_know_and_how_it_came_to_be(
    tmp_path: Path,
) -> None:
    weights = tmp_path / "w.onnx"
    weights.write_bytes(b"")
    written(tmp_path / "card.json", weights, QUALITY, STORY)
    card = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    assert (card["halo"], card["multiple"], card["conditional"]) == (20, 1, False)
    assert card.items() >= STORY.items()


def test_versions_are_those_of_installed_packages() -> None:
    found = versions()
    assert {"python", "numpy", "scikit-learn"} <= found.keys()
    assert all(found.values())
