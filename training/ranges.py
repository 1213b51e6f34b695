"""Which range of each channel its steps should cover: where rounding costs least.

Between two layers a channel may be multiplied by anything that the layer behind takes
back. A wide range has wide steps; a narrow one cuts off what is loud; and what the
layer behind takes back makes its weights uneven, so that they are rounded coarsely.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor

from training.loss import allowance
from training.networks import Denoiser
from training.noise import Patches
from training.rounding import LEVELS
from training.stepped import MOST, STEPS, hidden_and_last

SHARES = torch.logspace(-0.7, 0.6, 27)
"""Of the greatest value that a channel was seen to say, tried as its range."""

LEARNT = 0.1
"""What is left of the error of rounded weights when they have learnt from it."""

LOOKS = 3
"""Random looks at each patch."""

ROUNDS = 6
"""A layer's scales depend on the ranges that it reads, so these are found by turns."""

Tensors = Sequence[Tensor]


def ranges(network: Denoiser, patches: Patches) -> list[Tensor]:
    """Return, for each ReLU of a trained network, the range of each of its channels.

    What an error e in a channel does to the picture, J·e, is measured by gradients: for
    random z of variance 1 the mean of ⟨Jᵀz, e⟩² is |J·e|² (Hutchinson 1990).
    """
    felt = _felt(network, patches)
    layers = [layer.weight.detach() for layer in hidden_and_last(network)]
    found = [each.peaks / MOST for each in felt]
    for _ in range(ROUNDS):
        for place, (each, weights) in enumerate(zip(felt, layers, strict=True)):
            # The last layer stays in fractions.
            rounds = LEARNT if weights is not layers[-1] else 0.0
            uneven = rounds * each.uneven(weights, found[place])
            found[place] = each.least(uneven)
    return found


@dataclass(slots=True)
class _Felt:
    """What errors in a layer's channels, and in the weights behind it, do to pictures.

    `peaks` and `steps` have a number for each channel, `cut` one for each channel and
    share, `weights` one for each outer and inner channel of the layer behind.
    """

    peaks: Tensor
    steps: Tensor
    cut: Tensor
    weights: Tensor

    def note(self, said: Tensor, felt: Tensor, weights: Tensor, count: int) -> None:
        """Add one look of `count`: a patch's channels and the gradients there."""
        self.steps += felt.square().sum((0, 2, 3)) / count
        self.weights += weights.square().sum((2, 3)) / count
        for number, share in enumerate(SHARES):
            if share < 1.0:
                beyond = (said - (share * self.peaks)[:, None, None]).clamp_min(0.0)
                self.cut[:, number] += (felt * beyond).sum((0, 2, 3)).square() / count

    def uneven(self, weights: Tensor, ranges: Tensor) -> Tensor:
        """Error by rounding weights that read each channel, times its range's square.

        That of a number rounded to steps of 1 is 1/12, as a mean square.
        """
        finest = (weights * ranges[:, None, None]).abs().amax((1, 2, 3)) / LEVELS
        return (finest.square()[:, None] * self.weights).sum(0) / 12.0

    def least(self, uneven: Tensor) -> Tensor:
        """Return the ranges at which all errors together are least."""
        tried = SHARES * (self.peaks / MOST)[:, None]
        stepped = self.steps[:, None] * tried.square() / (12.0 * STEPS**2)
        best = (stepped + self.cut + uneven[:, None] / tried.square()).argmin(1)
        return tried.gather(1, best[:, None]).flatten()


def _felt(network: Denoiser, patches: Patches) -> list[_Felt]:
    network = deepcopy(network).requires_grad_(requires_grad=True)
    layers = [layer.weight for layer in hidden_and_last(network)]
    heard = _listening(network)
    felt = [
        _Felt(
            peaks=peaks,
            steps=torch.zeros(len(peaks)),
            cut=torch.zeros(len(peaks), len(SHARES)),
            weights=torch.zeros(layer.shape[:2]),
        )
        for peaks, layer in zip(_peaks(network, patches, heard), layers, strict=True)
    ]
    count = LOOKS * len(patches.sigma)
    for gradients in _looks(network, patches, [*layers], heard):
        behind = gradients[len(heard) :]
        for each, *seen in zip(felt, heard, gradients, behind, strict=False):
            said, channels, weights = (part.detach() for part in seen)
            each.note(said, channels, weights, count)
    return felt


def _listening(network: Denoiser) -> list[Tensor]:
    """Return a list that holds what each ReLU said last."""
    heard: list[Tensor] = []
    places = [x for x in network.model if isinstance(x, torch.nn.ReLU)]
    network.model[0].register_forward_pre_hook(lambda *_: heard.clear())
    for relu in places:
        relu.register_forward_hook(lambda _, __, said: heard.append(said))
    return heard


def _peaks(network: Denoiser, patches: Patches, heard: list[Tensor]) -> list[Tensor]:
    with torch.no_grad():
        network(patches.noisy, patches.sigma)
    return [said.amax((0, 2, 3)).clamp_min(1e-6) for said in heard]


def _looks(
    network: Denoiser, patches: Patches, layers: list[Tensor], heard: list[Tensor]
) -> Iterator[Tensors]:
    """Gradients of what is heard and of `layers`, for random wishes about a patch."""
    chance = torch.Generator().manual_seed(1)
    for patch in patches.pieces(1):
        with torch.enable_grad():
            said = network(patch.noisy, patch.sigma)
        left = said.numel() * allowance(said.detach(), patch.clean)
        for _ in range(LOOKS):
            wish = 255.0 * torch.randn(said.shape, generator=chance) / left.sqrt()
            yield torch.autograd.grad(said, [*heard, *layers], wish, retain_graph=True)
