"""Make the eight-bit twin of trained weights, and note in their card what it costs.

python -m training.quantise --weights out/denoise-quality.onnx
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)

from training.photos import held_out, noisy, psnr

SIGMAS = (0, 15, 25, 50)
"""As validation has them, which needs PyTorch."""

Feed = dict[str, NDArray[np.float32]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--photographs", type=int, default=24)
    parser.add_argument("--side", type=int, default=96)
    parser.add_argument("--crop", type=int, default=256)
    parser.add_argument("--seed", type=int, default=5)
    asked = parser.parse_args()
    whole: Path = asked.weights
    small = whole.with_name(f"{whole.stem}-int8.onnx")
    names = [part.name for part in _session(whole).get_inputs()]
    feeds = shown(names, asked.photographs, asked.side, asked.seed)
    quantised(whole, small, feeds)
    noted(whole, small, asked.crop, asked.photographs)
    print(json.dumps(json.loads(_card(whole).read_bytes())["int8"], indent=2))


def shown(names: Sequence[str], count: int, side: int, seed: int) -> list[Feed]:
    """Made-up photographs with all the noise that training has, one by one."""
    import torch

    from training.dice import Dice
    from training.jpeg import MARGIN
    from training.noise import spoiled
    from training.scenes.photographs import photographs

    dice = Dice(torch.device("cpu"), seed)
    made = photographs(dice, count, side + MARGIN).float() / 255.0
    patches = spoiled(dice, made)
    feeds = []
    for picture, sigma in zip(patches.noisy, patches.sigma, strict=True):
        feed = {"image": picture[None].numpy(), "sigma": _level(float(sigma))}
        feeds.append({name: feed[name] for name in names})
    return feeds


class Reader(CalibrationDataReader):
    """Hands out what the network is shown while the quantiser looks on."""

    def __init__(self, feeds: Iterable[Feed]) -> None:
        self._feeds = iter(feeds)

    def get_next(self) -> Feed | None:
        return next(self._feeds, None)


def quantised(whole: Path, small: Path, feeds: Sequence[Feed]) -> None:
    """Write `whole` with products of bytes; its first and last layer stay as they are.

    Those two are a two-hundredth of the work, and see and say fractions of a tone.
    """
    model = onnx.load(whole)
    for node in model.graph.node:
        node.name = node.output[0]  # which the quantiser goes by
    layers = [node.name for node in model.graph.node if node.op_type == "Conv"]
    quantize_static(
        model,
        small,
        Reader(feeds),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=["Conv", "Relu"],
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=[layers[0], layers[-1]],
        calibrate_method=CalibrationMethod.Percentile,
        extra_options={"CalibPercentile": 99.999},
    )


def noted(whole: Path, small: Path, crop: int, count: int) -> None:
    """Write into the card what the eight-bit weights are and how much worse."""
    card: dict[str, Any] = json.loads(_card(whole).read_bytes())
    one, other = (scores(path, crop) for path in (whole, small))
    card["int8"] = {
        "file": small.name,
        "sha256": hashlib.sha256(small.read_bytes()).hexdigest(),
        "bytes": small.stat().st_size,
        "calibrated_on": count,
        "psnr": other,
        "psnr_loss": {key: round(one[key] - other[key], 3) for key in one},
    }
    _card(whole).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def scores(path: Path, crop: int) -> dict[str, float]:
    """Mean PSNR over the photographs that nothing was trained on, by σ."""
    session = _session(path)
    names = [part.name for part in session.get_inputs()]
    found = {}
    for sigma in SIGMAS:
        decibels = []
        for number, photo in enumerate(held_out(crop)):
            picture = noisy(photo, sigma, number).transpose(2, 0, 1)[None]
            feed = {"image": picture, "sigma": _level(sigma / 255.0)}
            (answer,) = session.run(None, {name: feed[name] for name in names})
            decibels.append(psnr(answer[0].transpose(1, 2, 0), photo.pixels))
        found[str(sigma)] = round(float(np.mean(decibels)), 3)
    return found


def _level(sigma: float) -> NDArray[np.float32]:
    return np.full((1, 1, 1, 1), sigma, np.float32)


def _session(path: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def _card(whole: Path) -> Path:
    return whole.with_suffix(".json")


if __name__ == "__main__":
    main()
