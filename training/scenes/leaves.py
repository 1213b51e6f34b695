"""Dead leaves: shapes of power-law sizes that hide one another.

The model is Matheron's (1968); that it has the statistics of natural scenes is Lee,
Mumford and Huang (2001), that denoisers learn from it is Achddou, Gousseau and Ladjal
(2021). Each octave of sizes covers the same area, so that drawing a leaf into a window
of its octave's size costs as much for the small ones as for the large.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from training.dice import Dice
from training.scenes.fields import noise, read
from training.scenes.outlines import OUTLINES, Outline

COVER = 4.0
"""Windows drawn per octave and picture, in areas of the picture."""

SMALLEST = 6
"""Pixels along an edge of the smallest octave's windows."""

CROWD = 64
"""Pixels along an edge of the fields that gather small leaves."""

RANKS = 2**15
NAMES = 2**16
"""A leaf is one 31-bit number: its rank above its name, so that the highest shows."""


@dataclass(frozen=True, slots=True)
class Leaves:
    """Which leaf shows where, and where each leaf lies.

    `names` is count × side × side; 0 is the ground. `across`, `down` and `radius` are
    count × (number of leaves + 1), in pixels.
    """

    names: Tensor
    across: Tensor
    down: Tensor
    radius: Tensor


def scatter(dice: Dice, count: int, side: int) -> Leaves:
    """Let leaves fall on `count` pictures of `side` × `side` pixels."""
    top = torch.zeros(count * side * side, dtype=torch.int32, device=dice.device)
    ground = [dice.uniform(0.0, side, count, 1), dice.uniform(0.0, side, count, 1)]
    fallen = [(ground[0], ground[1], torch.full_like(ground[0], side))]
    named = 1
    # A meadow is strokes, a street is boxes: no picture has all in equal parts.
    liking = dice.uniform(0.0, 1.6, len(OUTLINES), count).square()
    crowds = noise(dice, 2 * count, CROWD, 1.2, 2.2)
    for window, density in _octaves(dice, count, side):
        each = max(1, math.ceil(COVER * (side / window) ** 2 / len(OUTLINES)))
        for outline, liked in zip(OUTLINES, liking, strict=True):
            batch = _Fall(count, side, window, each, named)
            fallen.append(_drop(dice, top, batch, density * liked, crowds, outline))
            named += each
    if named > NAMES:
        raise ValueError(f"Expected {NAMES} leaves at most but {named} fell.")
    across, down, radius = (
        torch.cat(part, dim=1) for part in zip(*fallen, strict=True)
    )
    names = (top % NAMES).long().reshape(count, side, side)
    return Leaves(names, across, down, radius)


@dataclass(frozen=True, slots=True)
class _Fall:
    """`each` leaves per picture, named from `first`, in windows of one size."""

    count: int
    side: int
    window: int
    each: int
    first: int


def _octaves(dice: Dice, count: int, side: int) -> list[tuple[int, Tensor]]:
    """Choose for each picture which sizes it has, and how densely each octave falls."""
    octaves = int(math.log2(side / SMALLEST)) + 1
    finest = dice.uniform(-2.0, 0.9 * octaves, count).clamp_min(0.0)
    coarsest = torch.lerp(finest + 0.5, finest + octaves, dice.uniform(0.0, 1.0, count))
    coarsest = torch.where(dice.chance(0.7, count), float(octaves), coarsest)
    # Here a wood, there one ship on the sea.
    sparse = dice.log_uniform(0.1, 1.0, count)
    chosen = []
    for octave in range(octaves):
        inside = (finest <= octave + 0.5) & (coarsest >= octave)
        density = dice.uniform(0.2, 1.0, count) * sparse * inside
        chosen.append((SMALLEST * 2**octave, density))
    return chosen


def _drop(
    dice: Dice,
    top: Tensor,
    fall: _Fall,
    density: Tensor,
    crowds: Tensor,
    outline: Outline,
) -> tuple[Tensor, Tensor, Tensor]:
    """Draw one batch of leaves; return their places and radii, count × each."""
    shape = (fall.count, fall.each)
    across = dice.uniform(0.0, fall.side, *shape)
    down = dice.uniform(0.0, fall.side, *shape)
    # Sizes of density r^-3 within the octave, the scale-invariant law.
    spread = dice.uniform(0.0, 0.75, *shape)
    radius = fall.window / 4 * (1.0 - spread).rsqrt()
    wanted = density[:, None] * _crowd(fall, crowds, across, down)
    # Most leaves stay away; only those that fall are drawn.
    which = (dice.uniform(0.0, 1.0, *shape) < wanted).nonzero(as_tuple=True)
    places = (across[which], down[which], radius[which])
    pixels, inside = _inside(dice, fall, which[0], places, outline)
    rank = dice.integers(RANKS, len(which[0]))
    number = (rank * NAMES + fall.first + which[1]).int()[:, None]
    top.scatter_reduce_(0, pixels.flatten(), (number * inside).flatten(), "amax")
    return across, down, radius


def _crowd(fall: _Fall, crowds: Tensor, across: Tensor, down: Tensor) -> Tensor:
    """Return how readily small leaves lie at a place: foliage here, bare sky there."""
    if fall.window * 8 > fall.side:
        return torch.ones_like(across)
    picture = torch.arange(fall.count, device=across.device)[:, None]
    # Every other octave gathers elsewhere.
    layer = picture + fall.count * (fall.window.bit_length() % 2)
    scale = CROWD / fall.side
    height = read(crowds, layer.expand_as(across), across * scale, down * scale)
    return torch.sigmoid(6.0 * height)


def _inside(
    dice: Dice,
    fall: _Fall,
    picture: Tensor,
    places: tuple[Tensor, Tensor, Tensor],
    outline: Outline,
) -> tuple[Tensor, Tensor]:
    """Return the pixels of every leaf's window, and which of them it covers."""
    across, down, radius = (part[:, None] for part in places)
    axis = torch.arange(fall.window, device=dice.device) - fall.window // 2
    y, x = (part.flatten() for part in torch.meshgrid(axis, axis, indexing="ij"))
    x, y = x + across.floor().long(), y + down.floor().long()
    within = (x >= 0) & (x < fall.side) & (y >= 0) & (y < fall.side)
    pixels = (picture[:, None] * fall.side + y % fall.side) * fall.side + x % fall.side
    angle = _angles(dice, fall.count, picture)
    right, low = (x + 0.5 - across) / radius, (y + 0.5 - down) / radius
    turned = right * angle.cos() + low * angle.sin()
    crossed = low * angle.cos() - right * angle.sin()
    return pixels, outline(dice, turned, crossed) & within


def _angles(dice: Dice, count: int, picture: Tensor) -> Tensor:
    """Turn leaves: fur and grass lie one way; much that people make stands upright."""
    angle = dice.uniform(0.0, 2 * math.pi, len(picture), 1)
    lie = dice.uniform(0.0, math.pi, count, 1)[picture] + 0.3 * dice.normal(
        *angle.shape
    )
    angle = torch.where(dice.chance(0.3, count, 1)[picture], lie, angle)
    return torch.where(dice.chance(0.25, count, 1)[picture], 0.0, angle)
