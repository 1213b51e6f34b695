"""What the card says of an eight-bit twin."""

from __future__ import annotations

import json
from pathlib import Path

from tests.networks import by_chance
from training.comparison import noted

from pixtools.engine import Denoisers, EngineConfig


def test_a_twin_stands_on_the_card_with_what_it_loses_and_is_taken(
    tmp_path: Path,
) -> None:
    whole = by_chance(tmp_path, "quality") / "denoise-quality.onnx"
    small = tmp_path / "denoise-quality-int8.onnx"
    small.write_bytes(whole.read_bytes())
    noted(whole, small, crop=32, story={"minutes": 1.5})
    card = json.loads((tmp_path / "denoise-quality.json").read_bytes())["int8"]
    assert card["psnr_loss"] == dict.fromkeys(("0", "15", "25", "50"), 0.0)
    assert card["psnr"]["25"] > 15
    assert card["minutes"] == 1.5
    taken = Denoisers(EngineConfig(models_dir=tmp_path, precision="int8"))
    assert taken.open("quality").weights.path == small
