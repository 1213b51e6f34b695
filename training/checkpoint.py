"""A training that can go on where it was left."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

import torch
from torch import Tensor

from training.optimiser import State
from training.validation import Scores


class Moment(TypedDict):
    """One validation on the way."""

    minutes: float
    steps: int
    loss: float
    psnr: Scores


class Progress(TypedDict):
    """What a checkpoint counts, beside the tensors."""

    steps: int
    patches: int
    photographs: int
    seconds: float
    commands: list[list[str]]
    rate: float
    history: list[Moment]


class Checkpoint(TypedDict):
    """Everything that the next run needs: about four times the weights' size."""

    variant: str
    seed: int
    weights: dict[str, Tensor]
    average: dict[str, Tensor]
    optimiser: State
    progress: Progress


def beginning(rate: float) -> Progress:
    return {
        "steps": 0,
        "patches": 0,
        "photographs": 0,
        "seconds": 0.0,
        "commands": [],
        "rate": rate,
        "history": [],
    }


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write in one go: a killed program leaves the last good checkpoint."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save(checkpoint, partial)
    partial.replace(path)


def load(path: Path, variant: str) -> Checkpoint:
    """Read a checkpoint into memory without running any code in it.

    Raises:
        ValueError: It holds another variant.
    """
    found: Checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    if found["variant"] != variant:
        raise ValueError(
            f"Expected a checkpoint of {variant} but received {found['variant']}."
        )
    return found
