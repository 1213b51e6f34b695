"""Random fields that repeat without a seam, and how a picture reads them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from training.dice import Dice


def noise(
    dice: Dice, count: int, side: int, low: float, high: float, stretch: float = 1.0
) -> Tensor:
    """Draw 1/f^b Gaussian noise, each field with its own b in [low, high].

    Natural scenes have amplitudes near 1/f (Field 1987). `stretch` is the largest
    ratio between the axes of a field, turned at random.

    Returns:
        count × side × side, mean 0, standard deviation 1.
    """
    frequency = _radius(dice, count, side, stretch)
    exponent = dice.uniform(low, high, count, 1, 1)
    spectrum = torch.fft.rfft2(dice.normal(count, side, side))
    spectrum = spectrum * frequency.clamp_min(1.0 / side).pow(-exponent)
    return standardised(torch.fft.irfft2(spectrum, s=(side, side)))


def band(dice: Dice, count: int, side: int) -> Tensor:
    """Draw noise of one grain size each: pebbles, bark, foam."""
    frequency = _radius(dice, count, side, 3.0)
    centre = dice.log_uniform(4.0 / side, 0.35, count, 1, 1)
    width = dice.uniform(0.3, 0.9, count, 1, 1)
    octaves = (frequency.clamp_min(0.25 / side) / centre).log2() / width
    spectrum = torch.fft.rfft2(dice.normal(count, side, side))
    spectrum = spectrum * octaves.square().mul(-0.5).exp()
    return standardised(torch.fft.irfft2(spectrum, s=(side, side)))


def standardised(fields: Tensor) -> Tensor:
    """Return each field with mean 0 and standard deviation 1."""
    deviation, mean = torch.std_mean(fields, dim=(-2, -1), keepdim=True)
    return (fields - mean) / deviation.clamp_min(1e-6)


def read(fields: Tensor, layer: Tensor, across: Tensor, down: Tensor) -> Tensor:
    """Read `fields` (count × side × side) at any place, bilinearly, repeating.

    `layer`, `across` and `down` have one shape, which is the answer's.
    """
    side = fields.shape[-1]
    left, top = across.floor(), down.floor()
    along, below = across - left, down - top
    x0, y0 = left.long() % side, top.long() % side
    x1, y1 = (x0 + 1) % side, (y0 + 1) % side
    row0, row1 = (layer * side + y0) * side, (layer * side + y1) * side
    flat = fields.reshape(-1)
    upper = torch.lerp(flat[row0 + x0], flat[row0 + x1], along)
    lower = torch.lerp(flat[row1 + x0], flat[row1 + x1], along)
    return torch.lerp(upper, lower, below)


def _radius(dice: Dice, count: int, side: int, stretch: float) -> Tensor:
    """Return the radial frequency of each bin, cycles per pixel, stretched."""
    down = torch.fft.fftfreq(side, device=dice.device)[None, :, None]
    across = torch.fft.rfftfreq(side, device=dice.device)[None, None, :]
    angle = dice.uniform(0.0, math.pi, count, 1, 1)
    ratio = dice.log_uniform(1.0, max(stretch, 1.001), count, 1, 1).sqrt()
    along = across * angle.cos() + down * angle.sin()
    beside = down * angle.cos() - across * angle.sin()
    return torch.hypot(along * ratio, beside / ratio)
