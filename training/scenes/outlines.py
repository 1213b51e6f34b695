"""Outlines of leaves: which places, in units of a leaf's radius, lie inside."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from training.dice import Dice
from training.scenes.fields import noise, read

Outline = Callable[[Dice, Tensor, Tensor], Tensor]
"""(dice, across, down) → inside; places are n × pixels, within -1 … 1."""


def ellipse(dice: Dice, across: Tensor, down: Tensor) -> Tensor:
    flat = dice.uniform(0.35, 1.0, across.shape[0], 1)
    return across.square() + (down / flat).square() < 1.0


def box(dice: Dice, across: Tensor, down: Tensor) -> Tensor:
    """A rectangle of any proportion: planks, windows, books."""
    flat = dice.log_uniform(0.08, 1.0, across.shape[0], 1)
    return torch.maximum(across.abs() * 1.35, down.abs() * 1.35 / flat) < 1.0


def polygon(dice: Dice, across: Tensor, down: Tensor, edges: int = 6) -> Tensor:
    """Where half planes meet: stones, roofs, shadows."""
    inside = across.square() + down.square() < 1.0
    for _ in range(edges):
        angle = dice.uniform(0.0, 2 * math.pi, across.shape[0], 1)
        apart = dice.uniform(0.3, 1.1, across.shape[0], 1)
        inside &= across * angle.cos() + down * angle.sin() < apart
    return inside


def petal(dice: Dice, across: Tensor, down: Tensor) -> Tensor:
    """Two discs' overlap: leaves, eyes, grass."""
    shift = dice.log_uniform(0.25, 12.0, across.shape[0], 1)
    radius = (1.0 + shift.square()).sqrt()
    return torch.hypot(across, down.abs() + shift) < radius


def lobes(dice: Dice, across: Tensor, down: Tensor) -> Tensor:
    """A disc whose radius waves: flowers, splashes, fruit."""
    around = torch.atan2(down, across)
    radius = torch.full_like(across, 0.7)
    for waves in (2, 3, 5, 8):
        size = dice.uniform(0.0, 0.5 / waves, across.shape[0], 1)
        phase = dice.uniform(0.0, 2 * math.pi, across.shape[0], 1)
        radius += size * torch.sin(waves * around + phase)
    return torch.hypot(across, down) < radius


def stroke(dice: Dice, across: Tensor, down: Tensor) -> Tensor:
    """A piece of a thin arc: twigs, hair, cables, whiskers."""
    bend = dice.uniform(-0.8, 0.8, across.shape[0], 1)
    width = dice.log_uniform(0.025, 0.25, across.shape[0], 1)
    middle = down - bend * (across.square() - 0.4)
    thinner = 1.0 - 0.7 * dice.uniform(0.0, 1.0, across.shape[0], 1) * across.abs()
    return (middle.abs() < width * thinner) & (across.abs() < 0.95)


def ring(dice: Dice, across: Tensor, down: Tensor) -> Tensor:
    width = dice.uniform(-0.4, 0.4, across.shape[0], 1)
    distance = torch.hypot(across, down * dice.uniform(1.0, 3.0, across.shape[0], 1))
    return (distance < 0.98) & (distance > 0.98 - width)


def cloud(dice: Dice, across: Tensor, down: Tensor) -> Tensor:
    """A blot with a coastline: bushes, fur, clouds, coats."""
    fields = noise(dice, 4, 128, 1.2, 2.8)
    shape = (across.shape[0], 1)
    grain = dice.log_uniform(8.0, 40.0, *shape)
    places = [
        axis * grain + dice.uniform(0.0, 128.0, *shape) for axis in (across, down)
    ]
    layer = dice.integers(4, *shape).expand_as(across)
    height = read(fields, layer, places[0], places[1])
    distance = across.square() + down.square()
    return (height * 0.6 + 1.0 > distance * 2.2) & (distance < 1.0)


OUTLINES: tuple[Outline, ...] = (
    ellipse, box, polygon, petal, lobes, stroke, cloud, cloud, stroke, ring
)  # fmt: skip
"""One share of the leaves each; the commoner ones stand twice."""
