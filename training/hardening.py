"""Let a network of steps and whole weights learn to say what it said before."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as nn
from torch import Tensor

from training.loss import allowance, mean_square
from training.networks import Denoiser
from training.noise import Patches
from training.optimiser import Optimiser
from training.rounding import LEVELS, Whole
from training.schedule import Clock, rate
from training.trainer import has_bfloat16

LOG = logging.getLogger("training")

PIECE = 4
"""Patches at a time: what fits a core's cache is multiplied faster."""

PEAK = 1.2e-4
"""Greatest learning rate, a sixteenth of what training from nothing has."""

LOOK = 25
"""Steps between two words about the loss."""


class RoundedConvolution(torch.nn.Conv2d):
    """3 × 3 filters of whole numbers times a scale each, which may learn others."""

    scales: Tensor

    def __init__(self, whole: Whole) -> None:
        outer, inner = whole.numbers.shape[:2]
        super().__init__(inner, outer, 3, padding=1)
        self.register_buffer("scales", whole.scales.clone(), persistent=False)
        with torch.no_grad():
            self.weight.copy_(whole.weight)
            self.bias.copy_(whole.bias)

    def forward(self, seen: Tensor) -> Tensor:
        whole = self.whole
        return nn.conv2d(seen, whole.weight, whole.bias, padding=1)

    @property
    def whole(self) -> Whole:
        """The filters as they are now, each weight at the nearest whole number."""
        numbers = self.weight / self.scales[:, None, None, None]
        nearest: Tensor = _Nearest.apply(numbers.clamp(-LEVELS, LEVELS))
        # What products of bfloat16 see of it: then nothing else is shipped.
        return Whole(nearest, self.scales, self.bias.bfloat16().float())


class _Nearest(torch.autograd.Function):
    """To whole numbers; the gradient passes (Bengio, Léonard and Courville 2013)."""

    @staticmethod
    def forward(ctx: Any, numbers: Tensor) -> Tensor:  # noqa: ANN401, ARG004 - PyTorch's own
        return numbers.round()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:  # noqa: ANN401, ARG004 - as above
        return gradients[0]


def hardened(
    network: Denoiser,
    layers: Mapping[int, Whole],
    teacher: Denoiser,
    draw: Callable[[], Patches],
    minutes: float,
) -> dict[int, Whole]:
    """Train a stepped network with its `layers` rounded, and return them anew.

    Args:
        network: Changed in place: first and last layer learn, too.
        layers: What `rounded` made of its hidden layers.
        teacher: The network that all came from. To say what it says is a task without
            chance in it, so minutes teach what hours would by clean pictures.
        draw: Patches for one step.
        minutes: Of processor time.
    """
    for index, whole in layers.items():
        network.model[2 * index] = RoundedConvolution(whole)
    network.requires_grad_(requires_grad=True)
    _learn(network, teacher, draw, Clock(60.0 * minutes, 0.0, time.process_time))
    network.requires_grad_(requires_grad=False)
    return {index: network.model[2 * index].whole for index in layers}


def _learn(
    network: Denoiser, teacher: Denoiser, draw: Callable[[], Patches], clock: Clock
) -> None:
    optimiser, losses = Optimiser(network, muon=True), [0.0]
    while clock.share < 1.0:
        losses.append(_step(network, teacher, draw()))
        optimiser.step(rate(PEAK, clock.share))
        if len(losses) > LOOK:
            told = sum(losses) / len(losses)
            LOG.info("%3.0f %%: error %.4f", 100.0 * clock.share, told)
            losses.clear()


def _step(network: Denoiser, teacher: Denoiser, patches: Patches) -> float:
    """Find the gradients of the mean over patches of new error / teacher's error."""
    loss, brief = 0.0, has_bfloat16(torch.device("cpu"))
    for piece in patches.pieces(PIECE):
        with torch.autocast("cpu", torch.bfloat16, enabled=brief):
            said = network(piece.noisy, piece.sigma)
            with torch.no_grad():
                wanted = teacher(piece.noisy, piece.sigma)
        left = allowance(wanted, piece.clean)
        error = (mean_square(said - wanted) / left).sum() / len(patches.sigma)
        error.backward()
        loss += float(error.detach())
    return loss
