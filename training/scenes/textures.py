"""A bank of surfaces that repeat without a seam: the stuff leaves are made of."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from training.dice import Dice
from training.scenes.fields import band, noise, standardised

SIDE = 256
"""Pixels along an edge of one texture."""

CELL = 16
"""Pixels along an edge of one glyph's cell."""


def bank(dice: Dice) -> Tensor:
    """Draw a new bank of 48 textures.

    Returns:
        48 × SIDE × SIDE, each with mean 0 and standard deviation 1, few beyond ±4.
    """
    surfaces = torch.cat(
        [
            noise(dice, 10, SIDE, 0.3, 1.6, 1.0),
            noise(dice, 6, SIDE, 0.4, 1.4, 12.0),
            band(dice, 5, SIDE),
            _gratings(dice, 6),
            _ridges(dice, 4),
            _patches(dice, 4),
            _cells(dice, 4),
            _weaves(dice, 5),
            _writing(dice, 4),
        ]
    )
    return standardised(surfaces).clamp_(-4.0, 4.0)


def _gratings(dice: Dice, count: int) -> Tensor:
    """Stripes whose phase wanders: ripples, wood, fabric, blinds."""
    down, across = _grid(dice)
    waves = dice.log_uniform(4.0, 100.0, 2, count, 1, 1).round()
    phase = 2 * math.pi * (waves[0] * across + waves[1] * down * dice.chance(0.6, 1))
    wander = noise(dice, count, SIDE, 1.2, 2.0)
    wave = torch.sin(phase + dice.uniform(0.0, 5.0, count, 1, 1) * wander)
    return torch.tanh(wave * dice.log_uniform(0.5, 8.0, count, 1, 1))


def _ridges(dice: Dice, count: int) -> Tensor:
    """Veins and sparks: the absolute value or the exponential of noise."""
    field = noise(dice, count, SIDE, 0.8, 1.7, 3.0)
    veins = -field.abs().pow(0.6)
    return torch.where(dice.chance(0.5, count, 1, 1), veins, (0.8 * field).exp())


def _patches(dice: Dice, count: int) -> Tensor:
    """Two shades with a ragged border: lichen, foam, foliage against the sky."""
    field = noise(dice, count, SIDE, 0.9, 1.8) - dice.uniform(-1.0, 1.0, count, 1, 1)
    return torch.tanh(field * dice.log_uniform(2.0, 40.0, count, 1, 1))


def _cells(dice: Dice, count: int, points: int = 96) -> Tensor:
    """Distance to the nearest of scattered points (Worley 1996): pebbles, scales."""
    down, across = _grid(dice)
    surfaces = []
    for wanted in torch.linspace(12, points, count).int().tolist():
        places = dice.uniform(0.0, 1.0, 2, wanted, 1, 1)
        apart = [
            (axis - at).abs() for axis, at in zip((across, down), places, strict=True)
        ]
        wrapped = [torch.minimum(gap, 1 - gap).square() for gap in apart]
        nearest, which = (wrapped[0] + wrapped[1]).min(dim=0)
        shade = dice.normal(wanted)[which]
        surfaces.append(shade * 0.15 - nearest.sqrt() * math.sqrt(wanted))
    return torch.stack(surfaces)


def _weaves(dice: Dice, count: int) -> Tensor:
    """Bricks, tiles, checks and cloth: every brick its shade, a groove around it."""
    down, across = _grid(dice)
    surfaces = []
    for _ in range(count):
        rows, columns = 2 ** (2 + dice.one_of(4)), 2 ** (1 + dice.one_of(5))
        row = (down * rows).floor()
        shifted = across * columns + 0.5 * (row % 2) * dice.one_of(2)
        shade = dice.normal(rows, columns)[row.long(), shifted.long() % columns]
        edge = torch.minimum(_to_edge(down * rows) / rows, _to_edge(shifted) / columns)
        groove = torch.sigmoid((edge * SIDE - 1.5) * 2.0)
        surfaces.append(shade * dice.uniform(0.0, 0.6, 1) + groove)
    return torch.stack(surfaces)


def _writing(dice: Dice, count: int) -> Tensor:
    """Rows of made-up letters, each three strokes between points of a small lattice."""
    letters = _letters(dice, 40)
    lines = SIDE // CELL
    page = letters[dice.integers(40, count, lines, lines)]
    page = page * dice.chance(0.83, count, lines, lines, 1, 1)
    page = page * dice.chance(0.8, count, lines, 1, 1, 1)
    return -page.transpose(2, 3).reshape(count, SIDE, SIDE)


def _letters(dice: Dice, count: int, strokes: int = 3) -> Tensor:
    """Draw count × CELL × CELL letters; 1 is ink."""
    ends = torch.stack(
        [dice.integers(3, count, strokes, 2), dice.integers(4, count, strokes, 2)], -1
    )
    ends = ends * torch.tensor([4.0, 3.4], device=dice.device) + 3.0
    start, along = ends[:, :, 0], ends[:, :, 1] - ends[:, :, 0]
    axis = torch.arange(CELL, device=dice.device) + 0.5
    pixels = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1).reshape(-1, 2)
    offset = pixels - start[:, :, None]
    share = (offset * along[:, :, None]).sum(-1) / along.square().sum(
        -1, True
    ).clamp_min(1)
    nearest = share.clamp(0, 1)[..., None] * along[:, :, None]
    distance = (offset - nearest).norm(dim=-1).amin(dim=1)
    width = dice.uniform(0.6, 1.3, count, 1)
    return torch.sigmoid((width - distance) * 5.0).reshape(count, CELL, CELL)


def _grid(dice: Dice) -> tuple[Tensor, Tensor]:
    """Return the places down and across, 0 … 1."""
    axis = torch.arange(SIDE, device=dice.device) / SIDE
    down, across = torch.meshgrid(axis, axis, indexing="ij")
    return down, across


def _to_edge(place: Tensor) -> Tensor:
    """Return how far a place is from the next whole number."""
    return (place - place.round()).abs()
