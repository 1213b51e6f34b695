"""What spoils a picture: Gaussian noise, a sensor's noise, JPEG on top."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as nn
from torch import Tensor

from training.bands import HIGHEST
from training.dice import Dice
from training.jpeg import MARGIN, compressed

SENSOR, GRAINY, COMPRESSED = 0.18, 0.06, 0.12
"""Shares of patches with a sensor's noise, with coarse grain, and through JPEG."""

CLEAN, EIGHT_BIT = 0.08, 0.30
"""Shares without any noise, and rounded and cut to eight bits after it."""


@dataclass(frozen=True, slots=True)
class Patches:
    """n pairs; `sigma` is each one's noise before JPEG, root mean square, 0 … 1."""

    clean: Tensor
    noisy: Tensor
    sigma: Tensor

    def pieces(self, size: int) -> Iterator[Patches]:
        """The same pairs, `size` at a time."""
        parts = (part.split(size) for part in (self.clean, self.noisy, self.sigma))
        for clean, noisy, sigma in zip(*parts, strict=True):
            yield Patches(clean, noisy, sigma)


def spoiled(
    dice: Dice, pictures: Tensor, weakest: float = 0.0, strongest: float = HIGHEST
) -> Patches:
    """Add noise of a σ between two, of a kind that its place in the batch decides.

    Some patches stay clean where there may be no noise.

    Args:
        dice: Where chance comes from.
        pictures: n × 3 × (side + MARGIN)², 0 … 1. The margin lets JPEG's blocks lie
            anywhere on what remains.
        weakest: σ of the weakest noise, 0 … 1.
        strongest: σ of the strongest.
    """
    count = pictures.shape[0]
    sigma = dice.uniform(weakest, strongest, count)
    sigma = sigma * ~dice.chance(0.0 if weakest else CLEAN, count)
    grain = dice.normal(*pictures.shape)
    sensor, grainy, squeezed = _shares(count)
    level = sigma[:, None, None, None]
    strength = level.expand_as(pictures).clone()
    strength[sensor] = _sensor(dice, pictures[sensor], level[sensor])
    grain[grainy] = _coarse(dice, grain[grainy])
    noise = strength * grain
    noisy = pictures + noise
    whole = dice.chance(EIGHT_BIT, count, 1, 1, 1)
    noisy = torch.where(whole, _eight_bit(noisy), noisy)
    noisy[squeezed] = compressed(dice, _eight_bit(noisy[squeezed]))
    measured = noise.square().mean((1, 2, 3)).sqrt()
    # A conditional network's σ is estimated later, and so never quite right.
    measured = measured * (1.0 + 0.04 * dice.normal(count)).clamp_min(0.8)
    return _cut(dice, pictures, noisy, measured)


def _shares(count: int) -> tuple[slice, slice, slice]:
    """Return which places of the batch get a sensor's, coarse and JPEG's noise."""
    sensor = round(count * SENSOR)
    grainy = sensor + round(count * GRAINY)
    # Half of what goes through JPEG has one of the other kinds of noise below it.
    squeezed = max(1, round(count * COMPRESSED))
    start = max(0, grainy - squeezed // 2)
    return slice(0, sensor), slice(sensor, grainy), slice(start, start + squeezed)


def _sensor(dice: Dice, pictures: Tensor, level: Tensor) -> Tensor:
    """Return a strength that grows with the light, and with σ as its mean square.

    Variance a·x + b: shot noise and read noise (Foi et al. 2008).
    """
    shot = dice.uniform(0.3, 1.0, *level.shape)
    light = pictures / pictures.mean((1, 2, 3), keepdim=True).clamp_min(0.02)
    channel = (0.25 * dice.normal(level.shape[0], 3, 1, 1)).exp()
    return level * channel * (shot * light + 1.0 - shot).sqrt()


def _coarse(dice: Dice, grain: Tensor) -> Tensor:
    """Return noise that neighbours share, as after a demosaic, of unit size."""
    if grain.shape[0] == 0:
        return grain
    near = nn.avg_pool2d(nn.pad(grain, (1, 1, 1, 1), "circular"), 3, 1)
    mixed = torch.lerp(grain, near, dice.uniform(0.3, 0.9, grain.shape[0], 1, 1, 1))
    return mixed / mixed.square().mean((1, 2, 3), keepdim=True).sqrt()


def _eight_bit(tone: Tensor) -> Tensor:
    return (tone.clamp(0.0, 1.0) * 255.0).round() / 255.0


def _cut(dice: Dice, clean: Tensor, noisy: Tensor, sigma: Tensor) -> Patches:
    side = clean.shape[-1] - MARGIN
    down, across = dice.one_of(MARGIN), dice.one_of(MARGIN)
    place = (..., slice(down, down + side), slice(across, across + side))
    return Patches(clean[place], noisy[place], sigma)
