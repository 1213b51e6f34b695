"""Networks made in a moment, laid out as the package and `models import` lay them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from pixtools.domain.plan import Model
from pixtools.engine.denoise import graph
from pixtools.engine.denoise.variants import Variant

Weights = Mapping[str, NDArray[np.float32]]

SHAPES: dict[Model, Variant] = {
    "quality": Variant("quality", 4, 8, 1, conditional=False),
    "fast": Variant("fast", 3, 8, 2, conditional=True),
}
"""As the real ones, with fewer and narrower layers."""


def by_chance(folder: Path, name: Model, seed: int = 1) -> Path:
    """Write a network that changes pictures a little, by all of its halo."""
    chance, variant = np.random.default_rng(seed), SHAPES[name]
    weights: dict[str, NDArray[np.float32]] = {}
    for index, (inner, outer) in enumerate(variant.widths):
        spread = np.sqrt(1.6 / (9 * inner))
        kernel = chance.normal(0.0, spread, (outer, inner, 3, 3))
        weights[f"model.{2 * index}.weight"] = kernel.astype(np.float32)
        weights[f"model.{2 * index}.bias"] = np.zeros(outer, np.float32)
    last = f"model.{2 * (variant.depth - 1)}.weight"
    weights[last] *= np.float32(0.2)
    return laid_out(folder, variant, weights)


def blurring(folder: Path, name: Model = "quality") -> Path:
    """Write a network that takes noise out as well as a blur of 3 × 3 pixels does."""
    shuffle = 2 if name == "fast" else 1
    if shuffle == 1:
        return laid_out(folder, _BLUR, _blur())
    return laid_out(folder, _FOLDED_BLUR, _folded_blur())


def laid_out(folder: Path, variant: Variant, weights: Weights) -> Path:
    """Write `denoise-<name>.onnx` and its card into a folder; give the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"denoise-{variant.name}.onnx"
    onnx.save(graph.model(variant, weights), path)
    card = {
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "bytes": path.stat().st_size,
        "variant": variant.name,
        "halo": variant.halo,
        "multiple": variant.shuffle,
        "conditional": variant.conditional,
        "psnr": {"25": 30.0},
    }
    path.with_suffix(".json").write_text(json.dumps(card), encoding="utf-8")
    return folder


_BLUR = Variant("quality", 2, 6, 1, conditional=False)
_FOLDED_BLUR = Variant("fast", 2, 24, 2, conditional=True)


def _blur() -> Weights:
    """What a pixel differs from the mean around it, as ReLU lets it through: ±."""
    change = np.full((3, 3), -1 / 9, np.float32)
    change[1, 1] += 1.0
    first = np.zeros((6, 3, 3, 3), np.float32)
    last = np.zeros((3, 6, 3, 3), np.float32)
    for colour in range(3):
        first[2 * colour, colour], first[2 * colour + 1, colour] = change, -change
        last[colour, 2 * colour, 1, 1] = 1.0
        last[colour, 2 * colour + 1, 1, 1] = -1.0
    return _named(first, last)


def _folded_blur() -> Weights:
    """The same for pixels folded two by two: channel 4·colour + 2·row + column."""
    first = np.zeros((24, 13, 3, 3), np.float32)
    last = np.zeros((12, 24, 3, 3), np.float32)
    for place in range(12):
        colour, row, column = place // 4, place // 2 % 2, place % 2
        for down in (-1, 0, 1):
            for across in (-1, 0, 1):
                y, x = row + down, column + across
                seen = 4 * colour + 2 * (y % 2) + x % 2
                tap = (1 + y // 2, 1 + x // 2)
                first[2 * place, seen, *tap] -= 1 / 9
        first[2 * place, place, 1, 1] += 1.0
        first[2 * place + 1] = -first[2 * place]
        last[place, 2 * place, 1, 1], last[place, 2 * place + 1, 1, 1] = 1.0, -1.0
    return _named(first, last)


def _named(
    first: NDArray[np.float32], last: NDArray[np.float32]
) -> dict[str, NDArray[np.float32]]:
    return {
        "model.0.weight": first,
        "model.0.bias": np.zeros(len(first), np.float32),
        "model.2.weight": last,
        "model.2.bias": np.zeros(len(last), np.float32),
    }
