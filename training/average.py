"""A moving average of the weights: what is validated and shipped."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from training.networks import Denoiser

KEEP = 0.999
"""Share that the average keeps per step, less at the beginning."""


class Average:
    """Follows a network; `.network` is the smoothed one."""

    def __init__(self, network: Denoiser) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(requires_grad=False)
        # The weights are views of one vector, so that following is one operation.
        self._all = _flat(network)
        torch.nn.utils.vector_to_parameters(self._all, self.network.parameters())

    def follow(self, network: Denoiser, steps: int) -> None:
        keep = min(KEEP, (1.0 + steps) / (10.0 + steps))
        self._all.lerp_(_flat(network), 1.0 - keep)


def _flat(network: Denoiser) -> Tensor:
    return torch.cat([weight.detach().flatten() for weight in network.parameters()])
