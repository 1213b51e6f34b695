"""Eight-bit weights: made of any network, and hardly worse than it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tests.networks import by_chance
from training.quantise import Feed, noted, quantised

from pixtools.engine import Denoisers, EngineConfig


def shown(count: int = 4) -> list[Feed]:
    chance = np.random.default_rng(2)
    return [
        {"image": chance.random((1, 3, 32, 32), dtype=np.float32)} for _ in range(count)
    ]


def answer(path: Path, feed: Feed) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, feed)[0])


def test_an_eight_bit_twin_is_nearly_the_same_and_stands_on_the_card(
    tmp_path: Path,
) -> None:
    whole = by_chance(tmp_path, "quality") / "denoise-quality.onnx"
    small = tmp_path / "denoise-quality-int8.onnx"
    quantised(whole, small, shown())
    noted(whole, small, crop=32, count=4)
    feed = shown(1)[0]
    change = np.abs(answer(whole, feed) - feed["image"]).max()
    assert 0 < np.abs(answer(whole, feed) - answer(small, feed)).max() < change / 10
    card = json.loads((tmp_path / "denoise-quality.json").read_bytes())["int8"]
    assert abs(card["psnr_loss"]["25"]) < 0.5
    taken = Denoisers(EngineConfig(models_dir=tmp_path, precision="int8"))
    assert taken.open("quality").weights.path == small
