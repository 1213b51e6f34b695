"""The card that goes with trained weights: what they are, how they came to be."""

from __future__ import annotations

import importlib.metadata
import json
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from pixtools.engine.denoise.cards import card
from pixtools.engine.denoise.variants import Variant

PACKAGES = ("torch", "numpy", "onnx", "onnxruntime", "scikit-learn", "scikit-image")


class Story(TypedDict):
    """How a training went; `commands` has one of each run, in order."""

    commands: Sequence[Sequence[str]]
    seed: int
    device: str
    finished: bool
    minutes: float
    steps: int
    patches: int
    patch_side: int
    photographs: int
    validated_on: Sequence[str]
    validation_crop: int
    psnr: dict[str, float]
    psnr_noisy: dict[str, float]
    export_difference: float
    history: Sequence[object]


def written(path: Path, weights: Path, variant: Variant, story: Story) -> None:
    """Write the card of `weights` as JSON."""
    told = card(weights.name, weights.read_bytes(), variant) | {
        "data": "Procedural photographs only; no data set, no other weights.",
        "versions": versions(),
        **story,
    }
    path.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


def versions() -> dict[str, str]:
    """Return the versions of Python and of every package that had a part."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
