"""What people build: windows, tiles, fins, mouldings, in straight and bent lattices.

Leaves have no parallel edges and textures no hard contrast; facades, engines and cups
are made of both. Here a plane is cut into cells by two families of lines whose gaps
repeat as a motif; cells of a kind share a colour, have a frame and are shaded as if
they were round; some of them hold a finer lattice. The plane is then seen askew, or
bent around a centre.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from training.dice import Dice

LINES = 64
"""Gaps between lines before they repeat."""

MOTIF = 5
"""Most kinds of cell along an axis."""

SPREAD = torch.tensor([0.9, 0.22, 0.09])
"""Of lightness, amber-azure and green-magenta between the colours of one building."""

AXES = torch.tensor([[1.0, 1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 2.0, -1.0]])


def structures(dice: Dice, count: int, side: int) -> Tensor:
    """Draw `count` built things.

    Returns:
        count × 3 × side × side, logarithm of linear light, around -1.6.
    """
    return torch.stack([_one(dice, side) for _ in range(count)])


def _one(dice: Dice, side: int) -> Tensor:
    across, down = _plane(dice, side)
    light, kind = _lattice(dice, across, down, (0.04, 0.35), 1.0)
    if dice.one_of(3):
        fine, finer = _lattice(dice, across, down, (0.012, 0.06), 0.6)
        held = dice.chance(0.5, MOTIF * MOTIF)[kind]
        if not dice.one_of(3):
            finest, _ = _lattice(dice, across, down, (0.006, 0.02), 0.4)
            deep = dice.chance(0.4, MOTIF * MOTIF)[finer]
            fine = torch.where(deep, finest, fine)
        light = torch.where(held, fine, light)
    return light


def _plane(dice: Dice, side: int) -> tuple[Tensor, Tensor]:
    """Return where each pixel lies on the plane, about -1 … 1 along both axes."""
    axis = torch.linspace(-1.0, 1.0, side, device=dice.device)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    angle = _angle(dice)
    across = x * math.cos(angle) + y * math.sin(angle)
    down = y * math.cos(angle) - x * math.sin(angle)
    way = dice.one_of(10)
    if way < 3:
        return _bent(dice, across, down)
    if way < 8:
        tilt = dice.uniform(-0.45, 0.45, 2).tolist()
        near = 1.0 + tilt[0] * across + tilt[1] * down
        across, down = across / near, down / near
    curve = (dice.uniform(-0.35, 0.35, 2) * dice.chance(0.4, 2)).tolist()
    return across + curve[0] * down.square(), down + curve[1] * across.square()


def _bent(dice: Dice, across: Tensor, down: Tensor) -> tuple[Tensor, Tensor]:
    """Lines around a centre, flattened as a circle seen askew: cups, wheels, hats."""
    middle = dice.uniform(-1.2, 1.2, 2).tolist()
    flat = float(dice.uniform(0.4, 1.0, 1))
    x, y = across - middle[0], (down - middle[1]) / flat
    turns = float(dice.uniform(1.0, 3.0, 1))
    return torch.hypot(x, y), torch.atan2(y, x) / math.pi * turns


def _angle(dice: Dice) -> float:
    """Most of what is built stands upright, or nearly."""
    spread = (0.03, 0.15, math.pi)[dice.one_of(3)]
    return float(dice.uniform(-spread, spread, 1))


def _lattice(
    dice: Dice, across: Tensor, down: Tensor, gaps: tuple[float, float], vivid: float
) -> tuple[Tensor, Tensor]:
    """Return the cells' light, 3 × side × side, and each pixel's kind of cell.

    `vivid` is how far its colours lie apart; what is fine is nearly grey.
    """
    one, other = _family(dice, across, gaps), _family(dice, down, gaps)
    # Blinds, fins and mouldings have lines one way only.
    if dice.one_of(3) == 0:
        other = (torch.zeros_like(other[0]), other[1], torch.ones_like(other[2]))
    kind = one[0] * MOTIF + other[0]
    colours = _colours(dice, MOTIF * MOTIF, vivid)
    light = colours[:, kind]
    round_ = dice.uniform(-1.2, 1.2, 2) * dice.chance(0.5, 2)
    light = light + round_[0] * one[1].square() + round_[1] * other[1].square()
    light = light + float(dice.uniform(-0.4, 0.4, 1)) * (one[1] + other[1])
    frame = torch.minimum(one[2], other[2]) < float(dice.uniform(0.0, 0.22, 1))
    if dice.one_of(2):
        light = torch.where(frame, _colours(dice, 1, vivid)[:, 0, None, None], light)
    return light, kind


def _family(
    dice: Dice, place: Tensor, gaps: tuple[float, float]
) -> tuple[Tensor, Tensor, Tensor]:
    """Cut an axis by lines: each pixel's kind, its place between lines -1 … 1, and
    how far from the nearer line it lies, in shares of a usual gap.
    """
    usual = float(dice.log_uniform(*gaps, 1))
    length = 1 + dice.one_of(MOTIF)
    widths = dice.normal(length).mul(0.6).exp()
    if dice.one_of(3):
        index = torch.arange(LINES, device=dice.device) % length
    else:
        index = dice.integers(length, LINES)
    ends = (widths[index] * usual).cumsum(0)
    wrapped = (place + 8.0 + float(dice.uniform(0.0, 1.0, 1))) % float(ends[-1])
    cell = torch.searchsorted(ends, wrapped.contiguous()).clamp_max(LINES - 1)
    width = widths[index][cell] * usual
    share = (ends[cell] - wrapped) / width
    edge = torch.minimum(share, 1.0 - share) * width / usual
    return index[cell], 2.0 * share - 1.0, edge


def _colours(dice: Dice, many: int, vivid: float) -> Tensor:
    """Draw log colours, few and most of them alike: 3 × many."""
    few = 2 + dice.one_of(4)
    axes = AXES / AXES.norm(dim=1, keepdim=True) * SPREAD[:, None]
    drawn = dice.normal(few, 3)
    drawn[:, 1:] *= vivid * dice.log_uniform(0.4, 2.0, 1)
    drawn[:, 1:] += dice.normal(2)
    palette = drawn @ axes.to(dice.device) * math.sqrt(3.0) - 1.6
    return palette[dice.integers(few, many)].T
