"""The networks that are trained, in numbers."""

from __future__ import annotations

import itertools
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Variant:
    """A stack of 3 × 3 convolutions with ReLU between, which predicts the noise.

    `shuffle` is the factor by which pixels are moved into channels before the first
    convolution (Shi et al. 2016); `conditional` networks are told σ as one more
    channel, as FFDNet is (Zhang, Zuo and Zhang 2018).
    """

    name: str
    depth: int
    channels: int
    shuffle: int
    conditional: bool

    @property
    def inputs(self) -> int:
        return 3 * self.shuffle**2 + self.conditional

    @property
    def outputs(self) -> int:
        return 3 * self.shuffle**2

    @property
    def widths(self) -> list[tuple[int, int]]:
        """(inputs, outputs) of each convolution."""
        edges = [self.inputs, *[self.channels] * (self.depth - 1), self.outputs]
        return list(itertools.pairwise(edges))

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every weight by its name in a checkpoint, in order."""
        return {
            f"model.{2 * index}.{part}": shape
            for index, (inner, outer) in enumerate(self.widths)
            for part, shape in (("weight", (outer, inner, 3, 3)), ("bias", (outer,)))
        }

    @property
    def parameters(self) -> int:
        return sum(9 * inner * outer + outer for inner, outer in self.widths)

    @property
    def macs_per_pixel(self) -> float:
        """Multiplications per pixel of the picture."""
        return sum(9 * inner * outer for inner, outer in self.widths) / self.shuffle**2

    @property
    def halo(self) -> int:
        """Pixels around a tile that its result depends on."""
        return self.depth * self.shuffle


QUALITY = Variant("quality", 20, 64, 1, conditional=False)
"""DnCNN colour blind (Zhang et al. 2017), in the layout of the public checkpoints."""

FAST = Variant("fast", 12, 64, 2, conditional=True)
"""FFDNet's form, narrower: a seventh of the quality network's multiplications."""

VARIANTS = {variant.name: variant for variant in (QUALITY, FAST)}
