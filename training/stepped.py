"""A network with whole steps between its layers, as products of bytes need them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from training.loss import expected_error
from training.networks import Denoiser
from training.noise import Patches

STEPS = 256
"""Steps to 1. A power of two, so that bfloat16 holds every step exactly."""

MOST = (STEPS - 1) / STEPS


class Steps(torch.nn.Module):
    """ReLU, and to the nearest of the 256 steps from 0 to MOST."""

    def forward(self, seen: Tensor) -> Tensor:
        stepped: Tensor = _Stepped.apply(seen)
        return stepped


class _Stepped(torch.autograd.Function):
    """The gradient takes the steps for a ramp (Bengio, Léonard and Courville 2013)."""

    @staticmethod
    def forward(ctx: Any, seen: Tensor) -> Tensor:  # noqa: ANN401 - PyTorch's own
        stepped = seen.clamp(0.0, MOST).mul_(STEPS).round_().mul_(1 / STEPS)
        ctx.save_for_backward(stepped)
        return stepped

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:  # noqa: ANN401 - as above
        (stepped,) = ctx.saved_tensors
        # One pass over memory for what would be four: it takes a third of the time.
        back: Tensor = torch.ops.aten.hardtanh_backward(
            gradients[0], stepped, 0.0, MOST
        )
        return back


def stepped(network: Denoiser, ranges: Sequence[Tensor]) -> Denoiser:
    """Turn a trained network into one of steps; its input and output stay the same.

    Each channel is divided by its range, and the layer behind it takes that back.
    """
    with torch.no_grad():
        layer = network.model[0]
        for told, behind in zip(ranges, hidden_and_last(network), strict=True):
            layer.weight.div_(told[:, None, None, None])
            layer.bias.div_(told)
            behind.weight.mul_(told[:, None, None])
            layer = behind
    return with_steps(network)


def with_steps(network: Denoiser) -> Denoiser:
    """Put steps in the place of every ReLU."""
    for place in range(1, len(network.model), 2):
        network.model[place] = Steps()
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
