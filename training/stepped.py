"""A network with whole steps between its layers, as products of bytes need them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from training.loss import expected_error
from training.networks import Denoiser
from training.noise import Patches

STEPS = 256
"""Steps to 1. A power of two, so that bfloat16 holds every step exactly."""

MOST = (STEPS - 1) / STEPS

FAINTEST = 1.0 / 16.0
"""Least share of the layer's range that a channel is stretched from."""

SHARES = tuple(1.0 - 0.05 * number for number in range(13))
"""Of a channel's greatest value, tried as its range."""


class Steps(torch.nn.Module):
    """ReLU, and to the nearest of the 256 steps from 0 to MOST."""

    def forward(self, seen: Tensor) -> Tensor:
        stepped: Tensor = _Stepped.apply(seen)
        return stepped


class _Stepped(torch.autograd.Function):
    """The gradient takes the steps for a ramp (Bengio, Léonard and Courville 2013)."""

    @staticmethod
    def forward(ctx: Any, seen: Tensor) -> Tensor:  # noqa: ANN401 - PyTorch's own
        stepped = seen.clamp(0.0, MOST).mul_(STEPS).round_().div_(STEPS)
        ctx.save_for_backward(stepped)
        return stepped

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:  # noqa: ANN401 - as above
        (stepped,) = ctx.saved_tensors
        return gradients[0] * ((stepped > 0.0) & (stepped < MOST))


def stepped(network: Denoiser, patches: Patches) -> Denoiser:
    """Turn a trained network into one of steps; its input and output stay the same.

    Each channel is stretched to fill the steps with what `patches` make it say, and
    the layer behind it takes that back. A range may cut off what is rare, where the
    finer steps gain more than that costs.
    """
    with torch.no_grad():
        ranges = [_range(seen, weigh(patches)) for seen in _heard(network, patches)]
        convolutions = list(hidden_and_last(network))
        layer = network.model[0]
        for place, (told, behind) in enumerate(zip(ranges, convolutions, strict=True)):
            layer.weight.div_(told[:, None, None, None])
            layer.bias.div_(told)
            behind.weight.mul_(told[:, None, None])
            network.model[2 * place + 1] = Steps()
            layer = behind
    return network


def hidden_and_last(network: Denoiser) -> Iterator[torch.nn.Conv2d]:
    """The convolutions that read what another one said."""
    for layer in network.model[1:]:
        if isinstance(layer, torch.nn.Conv2d):
            yield layer


def entered(network: Denoiser, patches: Patches) -> Tensor:
    """What the first convolution reads."""
    read: list[Tensor] = []
    hook = network.model[0].register_forward_pre_hook(
        lambda _, given: read.append(given[0])
    )
    network(patches.noisy, patches.sigma)
    hook.remove()
    return read[0]


def weigh(patches: Patches) -> Tensor:
    """How much an error in each patch counts, as in training; 1 on average."""
    told = 1.0 / expected_error(patches.clean, patches.noisy)
    return told / told.mean()


def _heard(network: Denoiser, patches: Patches) -> Iterator[Tensor]:
    """What each ReLU says, one after the other."""
    seen = entered(network, patches)
    for layer in network.model[:-1]:
        seen = layer(seen)
        if isinstance(layer, torch.nn.ReLU):
            yield seen


def _range(seen: Tensor, counts: Tensor) -> Tensor:
    """Each channel's range that leaves the least square error."""
    most = seen.amax((0, 2, 3)).clamp_min(1e-6)
    best, least = most, torch.full_like(most, torch.inf)
    for share in SHARES:
        tried = (share * most / MOST)[:, None, None]
        error = (_Stepped.apply(seen / tried) * tried - seen).square_()
        missed = (error.mean((2, 3)) * counts[:, None]).sum(0)
        best = torch.where(missed < least, tried.flatten(), best)
        least = torch.minimum(least, missed)
    return best.clamp_min(FAINTEST * float(best.max()))
