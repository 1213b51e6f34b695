"""Weights in eight bits that make up for one another's rounding."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as nn
from torch import Tensor

from training.networks import Denoiser
from training.noise import Patches
from training.stepped import entered, weigh

LEVELS = 127
"""Weights are whole numbers from -LEVELS to LEVELS, times a scale of their channel."""

DAMPING = 1e-3
"""Share of the mean variance that is added to every input's, against rank loss."""

SHARES = tuple(1.0 - 0.02 * number for number in range(26))
"""Of a filter's greatest weight, tried as its LEVELS."""

PIECE = 4


@dataclass(frozen=True, slots=True)
class Whole:
    """A layer's filters as whole numbers (outer × inner × 3 × 3), and their scales."""

    numbers: Tensor
    scales: Tensor
    bias: Tensor

    @property
    def weight(self) -> Tensor:
        return self.numbers * self.scales[:, None, None, None]


def rounded(network: Denoiser, patches: Patches) -> dict[int, Whole]:
    """Round the hidden layers of a stepped network, in place, and return them.

    Layer by layer, each by what the layers rounded before it say of `patches`.
    """
    found: dict[int, Whole] = {}
    counts = weigh(patches)
    with torch.no_grad():
        seen = entered(network, patches)
        for place, layer in enumerate(network.model[:-1]):
            if isinstance(layer, torch.nn.Conv2d) and place:
                whole = fitted(layer, *moments(seen, counts))
                layer.weight.copy_(whole.weight)
                layer.bias.copy_(whole.bias)
                found[place // 2] = whole
            seen = layer(seen)
    return found


def moments(seen: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and covariance of the 9·inner numbers that a 3 × 3 filter reads."""
    size, places = 9 * seen.shape[1], seen.shape[2] * seen.shape[3]
    total, squares = torch.zeros(size), torch.zeros(size, size)
    for part, count in zip(seen.split(PIECE), counts.split(PIECE), strict=True):
        read = nn.unfold(part.contiguous(), 3, padding=1).transpose(0, 1).flatten(1)
        counted = read * count.repeat_interleave(places)
        total += counted.sum(1)
        squares += counted @ read.T
    mean = (total / (counts.sum() * places)).double()
    return mean, (squares / (counts.sum() * places)).double() - mean.outer(mean)


def fitted(layer: torch.nn.Conv2d, mean: Tensor, covariance: Tensor) -> Whole:
    """Round one weight after the other; those to come make up for each error.

    That is OBQ in a fixed order (GPTQ, Frantar et al. 2022), here with what is certain
    left to the bias. Inputs that vary most go first, while all others can still help.
    """
    weight, variance = layer.weight.flatten(1).double(), covariance.diagonal()
    scales = _scales(weight, variance)
    damped = covariance + DAMPING * variance.mean() * torch.eye(len(mean))
    order = variance.argsort(descending=True)
    numbers = torch.empty_like(weight)
    numbers[:, order] = _carried(
        weight[:, order], scales, damped[order][:, order].contiguous()
    )
    missed = (weight - numbers * scales[:, None]) @ mean
    return Whole(
        numbers.float().view_as(layer.weight),
        scales.float(),
        (layer.bias + missed).float(),
    )


def _carried(weight: Tensor, scales: Tensor, covariance: Tensor) -> Tensor:
    left = weight.clone()
    numbers = torch.empty_like(weight)
    passed_on = torch.linalg.cholesky(torch.linalg.inv(covariance), upper=True)
    for column in range(weight.shape[1]):
        number = (left[:, column] / scales).round().clamp(-LEVELS, LEVELS)
        error = (left[:, column] - number * scales) / passed_on[column, column]
        left[:, column:] -= error.outer(passed_on[column, column:])
        numbers[:, column] = number
    return numbers


def _scales(weight: Tensor, variance: Tensor) -> Tensor:
    """Each filter's scale that leaves the least error when rounded as it is."""
    most = weight.abs().amax(1).clamp_min(1e-9)
    best, least = most / LEVELS, torch.full_like(most, torch.inf)
    for share in SHARES:
        tried = share * most / LEVELS
        numbers = (weight / tried[:, None]).round().clamp(-LEVELS, LEVELS)
        missed = ((numbers * tried[:, None] - weight).square() * variance).sum(1)
        best = torch.where(missed < least, tried, best)
        least = torch.minimum(least, missed)
    return best
