"""The denoising networks."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as nn
from torch import Tensor

from pixtools.engine.denoise.variants import Variant

CHANCE = 0.05
"""Size of what is drawn for hidden layers, beside what they pass on."""


class Denoiser(torch.nn.Module):
    """Noisy picture in, clean picture out; for `variant` see its own description.

    The convolutions are `model.0`, `model.2`, … with ReLU between, as in the public
    checkpoints of DnCNN. Those hold no batch normalisation either: it is merged there,
    and here the optimiser does without.

    Hidden convolutions named in `asleep` are left out, with the ReLU behind them: they
    must pass on what they get, as `initialise` leaves them.
    """

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        self.variant = variant
        self.asleep: frozenset[int] = frozenset()
        layers: list[torch.nn.Module] = []
        for inner, outer in variant.widths:
            # In place: half the memory that passes by, and a third of the time.
            layers += [torch.nn.Conv2d(inner, outer, 3, padding=1), torch.nn.ReLU(True)]
        self.model = torch.nn.Sequential(*layers[:-1])

    def forward(self, noisy: Tensor, sigma: Tensor) -> Tensor:
        """Denoise.

        Args:
            noisy: n × 3 × height × width, 0 … 1 before noise; sides are multiples of
                `variant.shuffle`.
            sigma: n standard deviations on the same scale; unused by blind networks.
        """
        seen = nn.pixel_unshuffle(noisy, self.variant.shuffle)
        if self.variant.conditional:
            level = sigma.reshape(-1, 1, 1, 1).expand(-1, 1, *seen.shape[2:])
            seen = torch.cat([seen, level.to(seen.dtype)], dim=1)
        seen = seen.contiguous(memory_format=torch.channels_last)
        for place, layer in enumerate(self.model):
            if place // 2 not in self.asleep:
                seen = layer(seen)
        noise = nn.pixel_shuffle(seen, self.variant.shuffle)
        return noisy - noise.float()


def initialise(
    network: Denoiser, seed: int, asleep: frozenset[int] = frozenset()
) -> None:
    """Draw weights with which a deep plain stack learns at once.

    Drawn the usual way (He et al. 2015), twenty layers without batch normalisation stay
    at predicting no noise for long: their features no longer tell pixels apart. Here
    the first layer holds each filter and its negative, so that ReLU loses nothing, the
    hidden layers pass everything on (Zagoruyko and Komodakis 2017) with a little
    chance added, and all drawn filters have mean 0, blind to what is flat. Those
    `asleep` have no chance added, so that waking them changes nothing at first (Chen,
    Goodfellow and Shlens 2016).
    """
    generator = torch.Generator().manual_seed(seed)
    convolutions = [x for x in network.model if isinstance(x, torch.nn.Conv2d)]
    with torch.no_grad():
        for layer in convolutions:
            drawn = torch.randn(layer.weight.shape, generator=generator)
            drawn -= drawn.mean((1, 2, 3), keepdim=True)
            layer.weight.copy_(drawn * math.sqrt(2.0 / (9 * layer.in_channels)))
            layer.bias.zero_()
        first, *hidden, last = convolutions
        half = first.out_channels // 2
        first.weight[half:] = -first.weight[:half]
        for index, layer in enumerate(hidden, 1):
            chance = layer.weight * (CHANCE if index not in asleep else 0.0)
            layer.weight.copy_(torch.nn.init.dirac_(layer.weight) + chance)
        last.weight.mul_(CHANCE)


def idle(network: Denoiser) -> frozenset[int]:
    """Return the hidden convolutions that pass on exactly what they get."""
    hidden = {
        place // 2: layer
        for place, layer in enumerate(network.model)
        if isinstance(layer, torch.nn.Conv2d) and 0 < place < len(network.model) - 1
    }
    return frozenset(index for index, layer in hidden.items() if _passes(layer))


def _passes(layer: torch.nn.Conv2d) -> bool:
    alike = torch.nn.init.dirac_(torch.empty_like(layer.weight, requires_grad=False))
    silent = layer.bias is not None and not layer.bias.any()
    return silent and torch.equal(layer.weight, alike)
