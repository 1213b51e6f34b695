"""Muon for the hidden convolutions, AdamW for the rest, or AdamW alone."""

from __future__ import annotations

from typing import TypedDict

import torch
from torch import Tensor

from training.networks import Denoiser

MOMENTUM = 0.95
DECAY = 0.01

QUINTIC = (3.4445, -4.7750, 2.0315)
"""Coefficients that push singular values towards 1 fastest (Jordan et al. 2024)."""


class State(TypedDict):
    """What a checkpoint keeps."""

    momentum: Tensor
    adam: dict[str, object]


class Optimiser:
    """Steps a network's weights after `backward`.

    A hidden 3 × 3 convolution is an outer × 9·inner matrix; Muon makes its update
    orthogonal, so that a deep stack without batch normalisation still learns evenly.
    """

    def __init__(self, network: Denoiser, *, muon: bool) -> None:
        convolutions = [x for x in network.model if isinstance(x, torch.nn.Conv2d)]
        self._hidden = [x.weight for x in convolutions[1:-1]] if muon else []
        chosen = {id(weight) for weight in self._hidden}
        rest = [x for x in network.parameters() if id(x) not in chosen]
        self._adam = torch.optim.AdamW(rest, betas=(0.9, 0.99), weight_decay=0.0)
        self._rest = rest
        self._momentum = torch.zeros_like(self._matrices(self._hidden))

    def step(self, rate: float) -> None:
        """Apply the gradients at `rate`, a peak of about 1e-3, and forget them."""
        torch.nn.utils.clip_grad_norm_(self._rest, 1.0)
        for group in self._adam.param_groups:
            group["lr"] = rate
        self._adam.step()
        if self._hidden:
            with torch.no_grad():
                self._turn(rate)
        for weight in (*self._rest, *self._hidden):
            weight.grad = None

    def state(self) -> State:
        return {"momentum": self._momentum, "adam": self._adam.state_dict()}

    def restore(self, state: State) -> None:
        self._adam.load_state_dict(state["adam"])
        self._momentum.copy_(state["momentum"])

    def _turn(self, rate: float) -> None:
        # Layers asleep have no gradient, and must stay as they are.
        found = [x.grad if x.grad is not None else x * 0.0 for x in self._hidden]
        gradients = self._matrices(found)
        self._momentum.lerp_(gradients, 1.0 - MOMENTUM)
        ahead = orthogonal(gradients.lerp_(self._momentum, MOMENTUM))
        # As large as AdamW's updates usually are, so that both share one rate.
        ahead *= 0.2 * max(ahead.shape[-2:]) ** 0.5
        for weight, update in zip(self._hidden, ahead, strict=True):
            if weight.grad is None:
                continue
            weight.mul_(1.0 - rate * DECAY).add_(update.view_as(weight), alpha=-rate)

    @staticmethod
    def _matrices(weights: list[Tensor]) -> Tensor:
        flat = [weight.detach().flatten(1) for weight in weights]
        return torch.stack(flat) if flat else torch.zeros(0)


def orthogonal(matrices: Tensor, rounds: int = 5) -> Tensor:
    """Return the nearest half-orthogonal matrices, roughly: count × rows × columns.

    Newton-Schulz iterations of Jordan et al. (2024); rows must not outnumber columns.
    """
    kind = torch.bfloat16 if matrices.is_cuda else torch.float32
    a, b, c = QUINTIC
    x = matrices / matrices.norm(dim=(-2, -1), keepdim=True).clamp_min(1e-12)
    x = x.to(kind)
    for _ in range(rounds):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return x.float()
