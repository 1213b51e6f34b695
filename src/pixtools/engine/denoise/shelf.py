"""What weights there are, as their cards tell."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pixtools.domain.weights import Weights
from pixtools.engine.denoise.weights import NAMES, SHIPPED, files_of


def shelf(folder: Path, shipped: Path = SHIPPED) -> list[Weights]:
    """Every network's weights, best first; those imported hide those shipped."""
    found = []
    homes: tuple[tuple[Literal["imported", "shipped"], Path], ...]
    homes = (("imported", folder), ("shipped", shipped))
    for name in NAMES:
        there = [home for home in homes if files_of(home[1], name).weights.is_file()]
        for origin, home in there:
            used = origin == there[0][0]
            found.append(_told(home, Weights(name=name, origin=origin, used=used)))
    return found


def _told(home: Path, weights: Weights) -> Weights:
    """Add what card and file tell."""
    files = files_of(home, weights.name)
    try:
        raw = files.weights.read_bytes()
        card = json.loads(files.card.read_bytes())
        expected = str(card["sha256"])
        psnr = {str(at): float(value) for at, value in card.get("psnr", {}).items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return replace(weights, trouble="its card can't be read")
    sha256 = hashlib.sha256(raw).hexdigest()
    return replace(
        weights,
        sha256=sha256,
        bytes=len(raw),
        psnr=psnr,
        trouble="" if sha256 == expected else "its card describes another file",
    )
