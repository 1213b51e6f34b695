"""Weights and card as they were written, for a training that goes on from there."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor

from pixtools.engine.denoise import graph
from pixtools.engine.denoise.variants import Variant
from training.checkpoint import Progress

Array = NDArray[np.generic]


def weights(path: Path, variant: Variant) -> dict[str, Tensor]:
    """Read the weights of an ONNX file by PyTorch's names, in PyTorch's order.

    Raises:
        ValueError: It holds another variant.
    """
    found = constants(path)
    for name, shape in variant.shapes.items():
        if name not in found or found[name].shape != shape:
            raise ValueError(f"Expected weights of {variant.name} in {path.name}.")
    return in_order(found, variant)


def constants(path: Path) -> dict[str, Array]:
    """Every constant of an ONNX file by its name."""
    found = onnx.load(path).graph.initializer
    return {part.name: numpy_helper.to_array(part) for part in found}


def in_order(found: dict[str, Array], variant: Variant) -> dict[str, Tensor]:
    """Return weights in PyTorch's order, whose places are within colours."""
    entry, out = (np.argsort(places) for places in graph.order(variant))
    first, last = "model.0.weight", f"model.{2 * (variant.depth - 1)}"
    found[first] = found[first][:, entry]
    for part in (f"{last}.weight", f"{last}.bias"):
        found[part] = found[part][out]
    return {name: torch.tensor(found[name]) for name in variant.shapes}


def progress(path: Path, rate: float) -> Progress:
    """Read from a card what the training that wrote it had counted."""
    card = json.loads(path.read_bytes())
    return {
        "steps": card["steps"],
        "patches": card["patches"],
        "photographs": card["photographs"],
        "seconds": 60.0 * card["minutes"],
        "commands": card["commands"],
        "rate": rate,
        "history": card["history"],
    }
