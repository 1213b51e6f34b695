"""Our networks, as they are installed here or lie in a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from benchmarks.denoise.rivals import Floats
from pixtools.domain.plan import Model, Precision
from pixtools.engine import Denoisers, EngineConfig
from pixtools.engine.denoise.film import Film
from pixtools.engine.denoise.noise import estimate
from pixtools.engine.denoise.weights import available, weights_of


@dataclass(frozen=True, slots=True)
class Ours:
    """A network in one precision."""

    model: Model
    precision: Precision

    @property
    def name(self) -> str:
        return f"{self.model}-{self.precision}"

    @property
    def title(self) -> str:
        return f"**PixTools {self.model}**, {self.precision}"


ALL: Final = (
    Ours("quality", "float32"),
    Ours("quality", "int8"),
    Ours("fast", "float32"),
    Ours("fast", "int8"),
)


def found(folder: Path | None) -> list[Ours]:
    """Those of which there are weights."""
    there = available(folder)
    return [one for one in ALL if one.model in there and _has(one, folder)]


def weights_files(one: Ours, folder: Path | None) -> dict[str, str]:
    """Names and SHA-256 of the weights."""
    weights = weights_of(one.model, folder, one.precision)
    return {file.path.name: file.sha256 for file in weights.files}


def cleaner(one: Ours, folder: Path | None) -> Cleaner:
    """The network, open."""
    return Cleaner(one, folder)


class Cleaner:
    """A network that takes noise out of pictures in memory, whole."""

    def __init__(self, one: Ours, folder: Path | None) -> None:
        """Open it."""
        config = EngineConfig(models_dir=folder, precision=one.precision)
        self._network = Denoisers(config).open(one.model)
        self.conditional = self._network.weights.conditional

    def __call__(self, noisy: Floats, sigma: float) -> Floats:
        """Take noise of `sigma`, out of 1, away."""
        planes = np.ascontiguousarray(noisy.transpose(2, 0, 1))
        return self._network.clean(planes, sigma).transpose(1, 2, 0)


class Sheet:
    """A picture in memory, read as the estimate reads a film."""

    def __init__(self, pixels: Floats) -> None:
        """Take height × width × 3."""
        self.height, self.width, self.colours = pixels.shape
        self.top = 1
        self._pixels = pixels

    def read(self, across: tuple[int, int], down: tuple[int, int]) -> NDArray[Any]:
        """The rectangle from (left, right) and (top, bottom)."""
        return self._pixels[slice(*down), slice(*across)]


def estimated(pixels: Floats) -> float:
    """What the engine takes the noise for, out of 255."""
    return estimate(cast("Film", Sheet(pixels)))


def _has(one: Ours, folder: Path | None) -> bool:
    if one.precision == "float32":
        return True
    return any("int8" in name for name in weights_files(one, folder))
