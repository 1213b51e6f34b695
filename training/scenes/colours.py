"""Colours, light and surfaces of leaves, with the statistics of natural scenes.

Everything is added in the logarithm of linear light, as reflectance, shading and
illumination multiply. Chroma varies far less than lightness, and most along the axis of
daylight, from amber to azure (after Ruderman, Cronin and Chiao 1998).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from training.dice import Dice
from training.scenes.fields import noise, read
from training.scenes.forms import forms
from training.scenes.leaves import Leaves
from training.scenes.structures import structures
from training.scenes.textures import SIDE as TEXTURE_SIDE

PALETTE = 7
KINDS = 4
"""Colours and textures that a picture has to choose from."""

MADE = 0.8
"""Share of pictures that show what people build or what is curved, half of each."""

LARGE = 14.0
"""A leaf is large if this many of its radius are longer than the picture's edge."""

OPPONENTS = torch.tensor(
    [[1.0, 1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 2.0, -1.0]]
) / torch.tensor([[1.0], [2**0.5], [6**0.5]])
"""Lightness, amber-azure and green-magenta as directions in log RGB."""


def paint(dice: Dice, leaves: Leaves, bank: Tensor) -> Tensor:
    """Give every leaf its colour, shading and surface, and light the picture.

    Returns:
        count × 3 × side × side, linear light, around 0.2.
    """
    count, side = leaves.names.shape[:2]
    colours = _colours(dice, leaves, side)
    surfaces = _surfaces(dice, *leaves.radius.shape)
    places = torch.stack([leaves.across, leaves.down, 1.0 / leaves.radius], -1)
    table = torch.cat([colours, places, surfaces], -1)
    rows = leaves.names + leaves.radius.shape[1] * torch.arange(
        count, device=dice.device
    ).reshape(-1, 1, 1)
    seen = table.reshape(-1, table.shape[-1])[rows.flatten()]
    seen = seen.reshape(count, side, side, -1).permute(3, 0, 1, 2)
    light = seen[:3] + _shading(seen, side) + _texture(seen, bank, side)
    light = _nested(dice, seen, light.transpose(0, 1), bank)
    light = light + _illumination(dice, count, side, bank)
    contrast = dice.uniform(0.8, 2.0, count, 1, 1, 1)
    return ((light + 1.6) * contrast - 1.6).clamp_(-7.0, 1.5).exp_()


def _colours(dice: Dice, leaves: Leaves, side: int) -> Tensor:
    """Draw each leaf's log colour, alike where leaves lie near: count × leaves × 3."""
    count, leaf = leaves.radius.shape
    palette = _natural(dice, count, PALETTE, (0.95, 0.26, 0.10))
    vivid = dice.chance(0.12, count, PALETTE, 1)
    chroma = palette - palette.mean(-1, keepdim=True)
    palette = palette + vivid * dice.uniform(1.0, 4.0, count, PALETTE, 1) * chroma
    # One picture's things are often all of one hue: skin, wood, foliage, evening.
    palette = palette + _natural(dice, count, 1, (0.0, 0.75, 0.15))
    region = noise(dice, count, 64, 1.0, 2.2)
    layer = torch.arange(count, device=dice.device)[:, None].expand(count, leaf)
    scale = 64.0 / side
    near = read(region, layer, leaves.across * scale, leaves.down * scale)
    # Small leaves are rather like their neighbours, or every picture were confetti.
    free = (leaves.radius * (16.0 / side)).clamp(0.2, 1.0)
    free = free * dice.uniform(0.1, 1.2, count, 1)
    mixed = near + free * dice.normal(count, leaf)
    choice = (torch.special.ndtr(mixed) * PALETTE).long().clamp_(0, PALETTE - 1)
    chosen = palette.gather(1, choice[..., None].expand(-1, -1, 3))
    spread = dice.uniform(0.3, 1.5, count, 1, 1)
    return chosen + spread * _natural(dice, count, leaf, (0.3, 0.06, 0.025)) - 1.6


def _natural(
    dice: Dice, count: int, many: int, spread: tuple[float, float, float]
) -> Tensor:
    axes = OPPONENTS * torch.tensor(spread)[:, None]
    return dice.normal(count, many, 3) @ axes.to(dice.device)


def _surfaces(dice: Dice, count: int, leaf: int) -> Tensor:
    """Draw shading and texture of each leaf: count × leaves × 11.

    Columns: slope across, slope down, dome; texture's colour (3), its turn (2), its
    start (2), its layer.
    """
    shape = (count, leaf, 1)
    slope = 0.4 * dice.normal(count, leaf, 2) * dice.uniform(0.0, 1.5, count, 1, 1)
    dome = 0.6 * dice.normal(*shape).abs() * dice.uniform(0.0, 1.5, count, 1, 1)
    rough = dice.uniform(0.0, 1.0, count, 1, 1).square()
    strength = dice.log_uniform(0.04, 0.7, *shape)
    strength = strength * (dice.uniform(0.0, 1.0, *shape) < rough)
    strength = strength * dice.log_uniform(0.4, 1.6, count, 1, 1)
    tint = strength * (1.0 + _natural(dice, count, leaf, (0.0, 0.15, 0.06)))
    scale = dice.log_uniform(0.15, 1.1, *shape)
    angle = dice.uniform(0.0, 2 * math.pi, *shape)
    upright = dice.chance(0.5, count, 1, 1)
    angle = torch.where(upright, 0.15 * dice.normal(*shape), angle)
    start = dice.uniform(0.0, TEXTURE_SIDE, count, leaf, 2)
    kinds = dice.integers(48, count, KINDS)
    layer = kinds.gather(1, dice.integers(KINDS, count, leaf))[..., None].float()
    turn = [angle.cos() * scale, angle.sin() * scale]
    return torch.cat([slope, dome, tint, *turn, start, layer], -1)


def _shading(seen: Tensor, side: int) -> Tensor:
    """Slopes and domes: a leaf is lit from somewhere and round."""
    across, down = _pixels(seen, side)
    across, down = (across - seen[3]) * seen[5], (down - seen[4]) * seen[5]
    dome = seen[8] * (across.square() + down.square()).clamp_max(2.0)
    return (seen[6] * across + seen[7] * down - dome).clamp(-1.5, 1.5)


def _texture(seen: Tensor, bank: Tensor, side: int) -> Tensor:
    across, down = _pixels(seen, side)
    turned = across * seen[12] - down * seen[13] + seen[14]
    crossed = across * seen[13] + down * seen[12] + seen[15]
    return read(bank, seen[16].long(), turned, crossed) * seen[9:12]


def _nested(dice: Dice, seen: Tensor, light: Tensor, bank: Tensor) -> Tensor:
    """Put built or curved things in, and on half the large leaves another picture."""
    count, side = light.shape[0], light.shape[-1]
    made = _made(dice, count, side, bank)
    large = seen[5] * side < LARGE
    ground = seen[5] * side <= 1.0
    # Before what is built or curved stand large things only, or all that fell.
    small = ~large & ~dice.chance(0.15, count, 1, 1)
    shown = dice.chance(MADE, count, 1, 1) & (ground | small)
    light = torch.where(shown[:, None], made, light)
    bears = large & ~ground & (seen[14] < TEXTURE_SIDE / 2)
    other = torch.where(dice.chance(0.65, count, 1, 1, 1), made, light)
    return torch.where(bears[:, None], other.roll(max(1, count // 2), 0), light)


def _made(dice: Dice, count: int, side: int, bank: Tensor) -> Tensor:
    """Draw built things for one half of the pictures, curved ones for the other."""
    built = structures(dice, count - count // 2, side)
    if count < 2:
        return built
    return torch.cat([built, forms(dice, count // 2, side, bank)])


def _illumination(dice: Dice, count: int, side: int, bank: Tensor) -> Tensor:
    """Light that changes slowly, shadows with an edge, and grain over everything."""
    slow = noise(dice, count, side, 2.3, 3.5) * dice.uniform(0.0, 0.5, count, 1, 1)
    cast = noise(dice, count, side, 1.4, 2.8) - dice.uniform(0.0, 1.5, count, 1, 1)
    shadow = torch.sigmoid(cast * dice.log_uniform(3.0, 60.0, count, 1, 1))
    depth = dice.uniform(0.3, 1.5, count, 1, 1) * dice.chance(0.35, count, 1, 1)
    grain = bank[dice.integers(bank.shape[0], count)]
    repeats = -(-side // TEXTURE_SIDE)
    grain = grain.repeat(1, repeats, repeats)[:, :side, :side]
    strength = dice.log_uniform(0.01, 0.25, count, 1, 1) * dice.chance(0.2, count, 1, 1)
    return (slow - depth * shadow + strength * grain)[:, None]


def _pixels(seen: Tensor, side: int) -> tuple[Tensor, Tensor]:
    axis = torch.arange(side, device=seen.device) + 0.5
    return axis[None, None, :], axis[None, :, None]
