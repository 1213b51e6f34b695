"""How an eight-bit twin does beside the weights it was made of."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from training.bands import Band
from training.photos import held_out, noisy, psnr

SIGMAS = (0, 15, 25, 50)
"""As validation has them, which needs PyTorch."""


def noted(
    whole: Path, small: Path, band: Band, crop: int, story: dict[str, Any]
) -> None:
    """Write into the card what eight-bit weights are and how much worse, in a band."""
    card: dict[str, Any] = json.loads(card_of(whole).read_bytes())
    sigmas = [sigma for sigma in SIGMAS if band.holds(sigma)]
    one, other = (scores(path, crop, sigmas) for path in (whole, small))
    others = [twin for twin in card.get("int8", []) if twin["file"] != small.name]
    mine = {
        "file": small.name,
        "sha256": hashlib.sha256(small.read_bytes()).hexdigest(),
        "bytes": small.stat().st_size,
        "below": band.below,
        **story,
        "psnr": other,
        "psnr_loss": {key: round(one[key] - other[key], 3) for key in one},
    }
    card["int8"] = sorted([*others, mine], key=lambda twin: twin["below"] or math.inf)
    card_of(whole).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def of_twin(whole: Path, small: Path) -> dict[str, Any]:
    """What the card says of a twin."""
    card: dict[str, Any] = json.loads(card_of(whole).read_bytes())
    (mine,) = (twin for twin in card["int8"] if twin["file"] == small.name)
    found: dict[str, Any] = mine
    return found


def scores(path: Path, crop: int, sigmas: Sequence[int]) -> dict[str, float]:
    """Mean PSNR over the photographs that nothing was trained on, by σ."""
    session = _session(path)
    names = [part.name for part in session.get_inputs()]
    found = {}
    for sigma in sigmas:
        decibels = []
        for number, photo in enumerate(held_out(crop)):
            picture = noisy(photo, sigma, number).transpose(2, 0, 1)[None]
            feed = {"image": picture, "sigma": _level(sigma / 255.0)}
            (answer,) = session.run(None, {name: feed[name] for name in names})
            decibels.append(psnr(answer[0].transpose(1, 2, 0), photo.pixels))
        found[str(sigma)] = round(float(np.mean(decibels)), 3)
    return found


def card_of(whole: Path) -> Path:
    """Where the card of weights stands."""
    return whole.with_suffix(".json")


def _level(sigma: float) -> NDArray[np.float32]:
    return np.full((1, 1, 1, 1), sigma, np.float32)


def _session(path: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
