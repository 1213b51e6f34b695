"""What the card says of an eight-bit twin."""

from __future__ import annotations

import json
import math
from pathlib import Path

from tests.networks import by_chance
from training.bands import STRONG, WEAK
from training.comparison import noted, of_twin

from pixtools.engine import Denoisers, EngineConfig


def test_twins_stand_on_the_card_with_what_they_lose_and_are_taken(
    tmp_path: Path,
) -> None:
    """Each by the noise that it is for, and by nothing else."""
    whole = by_chance(tmp_path, "quality") / "denoise-quality.onnx"
    smalls = {
        band: tmp_path / f"denoise-quality-int8-{band.name}.onnx"
        for band in (STRONG, WEAK)
    }
    for band, small in smalls.items():
        small.write_bytes(whole.read_bytes())
        noted(whole, small, band, crop=32, story={"minutes": 0.5})
    noted(whole, smalls[STRONG], STRONG, crop=32, story={"minutes": 1.5})
    card = json.loads((tmp_path / "denoise-quality.json").read_bytes())["int8"]
    assert [twin["file"] for twin in card] == [smalls[b].name for b in (WEAK, STRONG)]
    assert [twin["psnr_loss"] for twin in card] == [
        {"0": 0.0, "15": 0.0, "25": 0.0},
        {"50": 0.0},
    ]
    assert card[0]["psnr"]["25"] > 15
    assert of_twin(whole, smalls[STRONG])["minutes"] == 1.5
    taken = Denoisers(EngineConfig(models_dir=tmp_path, precision="int8"))
    files = taken.open("quality").weights.files
    assert [(file.path, file.below) for file in files] == [
        (smalls[WEAK], WEAK.below),
        (smalls[STRONG], math.inf),
    ]
