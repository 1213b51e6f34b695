"""Random numbers on the device that needs them, from one seed."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor


class Dice:
    """Draws tensors on `device`; the same seed draws the same there again."""

    def __init__(self, device: torch.device, seed: int) -> None:
        self.device = device
        self._generator = torch.Generator(device=device)
        self._generator.manual_seed(seed)
        self._host = np.random.default_rng(seed)

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        drawn = torch.rand(shape, generator=self._generator, device=self.device)
        return drawn.mul_(high - low).add_(low)

    def log_uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Draw so that every octave between `low` and `high` is as likely."""
        return self.uniform(math.log(low), math.log(high), *shape).exp_()

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self._generator, device=self.device)

    def integers(self, high: int, *shape: int) -> Tensor:
        """Draw from 0 … high-1."""
        return torch.randint(high, shape, generator=self._generator, device=self.device)

    def chance(self, probability: float, *shape: int) -> Tensor:
        """Return booleans of which a share of `probability` is true."""
        return self.uniform(0.0, 1.0, *shape) < probability

    def one_of(self, count: int) -> int:
        """Return a plain number from 0 … count-1, without waiting for the device."""
        return int(self._host.integers(count))
