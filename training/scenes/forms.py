"""What is smooth, round, folded or striped: skin, petals, cloth, cups, paint, metal.

Leaves are flat and hide one another's outlines; what is built is straight. Much of a
photograph is neither: surfaces that curve gently, shaded by how they face the light
(Lambert 1760), with highlights (Blinn 1977), bounded by long contours, and often with
more contours beside them. Here all of that follows the level lines of smooth fields.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from training.dice import Dice
from training.scenes.fields import noise, read

LAYERS = 3
"""Surfaces that hide one another."""

STEPS = 512
"""Places along a surface's profile before it repeats."""

AXES = torch.tensor([[1.0, 1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 2.0, -1.0]])

SPREAD = torch.tensor([0.9, 0.28, 0.10])
"""Of lightness, amber-azure and green-magenta between the colours of a picture."""


def forms(dice: Dice, count: int, side: int, bank: Tensor) -> Tensor:
    """Draw `count` pictures of curved surfaces.

    Returns:
        count × 3 × side × side, logarithm of linear light, around -1.6.
    """
    many = count * LAYERS
    vivid = dice.log_uniform(0.4, 2.0, count, 1, 1).repeat(LAYERS, 1, 1)
    bends = noise(dice, 2 * many, side, 2.2, 3.8, 3.0).reshape(2, many, side, side)
    light = _striped(dice, bends, vivid) + _strands(dice, bends, bank)
    light = _lit(dice, bends, light).reshape(LAYERS, count, 3, side, side)
    seen = light[0]
    for over in light[1:]:
        seen = _over(dice, seen, over)
    return seen


def _striped(dice: Dice, bends: Tensor, vivid: Tensor) -> Tensor:
    """Colour a surface along its bend: few colours, hard and soft changes."""
    many = bends.shape[1]
    profile = _profile(dice, many, vivid)
    waves = dice.log_uniform(0.1, 1.5, many, 1, 1)
    lean = dice.uniform(0.0, 0.5, many, 1, 1) * bends[1]
    place = ((bends[0] + lean) * waves + dice.uniform(0.0, 1.0, many, 1, 1)) * STEPS
    low = place.floor()
    share, first = (place - low)[:, None], low.long() % STEPS
    rows = torch.arange(many, device=dice.device)[:, None, None] * STEPS
    flat = profile.reshape(-1, 3)
    one = flat[rows + first].permute(0, 3, 1, 2)
    other = flat[rows + (first + 1) % STEPS].permute(0, 3, 1, 2)
    return torch.lerp(one, other, share)


def _profile(dice: Dice, many: int, vivid: Tensor) -> Tensor:
    """Draw log colours along a line that closes: many × STEPS × 3."""
    axes = AXES / AXES.norm(dim=1, keepdim=True) * SPREAD[:, None]
    drawn = dice.normal(many, 12, 3)
    drawn[..., 1:] *= vivid
    hue = dice.normal(many // LAYERS, 1, 2).repeat(LAYERS, 1, 1)
    drawn[..., 1:] += hue * torch.tensor([2.0, 1.0], device=dice.device)
    # The colours of one thing are like one another.
    apart = dice.log_uniform(0.1, 1.4, many, 1, 1)
    drawn = torch.lerp(drawn[:, :1], drawn, apart) @ axes.to(dice.device)
    edges = dice.log_uniform(0.5, 40.0, many, 1) / STEPS
    kind = (dice.uniform(0.0, 1.0, many, STEPS) < edges).cumsum(1) % 12
    steps = drawn.gather(1, kind[..., None].expand(-1, -1, 3))
    slow = torch.fft.rfft(dice.normal(many, STEPS))
    pitch = torch.arange(slow.shape[1], device=dice.device).clamp_min(1)
    slow = torch.fft.irfft(slow * pitch.pow(-dice.uniform(1.0, 2.0, many, 1)), n=STEPS)
    slow = slow / slow.std(1, keepdim=True)
    return steps + (slow * dice.uniform(0.0, 0.5, many, 1))[..., None] - 1.6


def _strands(dice: Dice, bends: Tensor, bank: Tensor) -> Tensor:
    """Cover half of the surfaces with a texture that follows them: fur, cloth, bark."""
    many, side = bends.shape[1], bends.shape[-1]
    axis = torch.arange(side, device=dice.device, dtype=torch.float32)
    shape = (many, 1, 1)
    angle = dice.uniform(0.0, 2 * math.pi, *shape)
    scale = dice.log_uniform(0.2, 1.2, *shape)
    pull = side * dice.uniform(0.0, 0.15, 2, *shape) * bends
    x, y = axis + pull[0], axis[:, None] + pull[1]
    across = (x * angle.cos() + y * angle.sin()) * scale
    down = (y * angle.cos() - x * angle.sin()) * scale
    layer = dice.integers(bank.shape[0], *shape).expand_as(across)
    strength = dice.log_uniform(0.01, 0.4, *shape) * dice.chance(0.35, *shape)
    # Worn here, bare there.
    strength = strength * torch.sigmoid(2.0 * bends.roll(1, 1)[0] + 1.0)
    return (read(bank, layer, across, down) * strength)[:, None]


def _lit(dice: Dice, bends: Tensor, light: Tensor) -> Tensor:
    """Shade by a lamp and the sky, with a highlight where the surface is glossy."""
    shape = (bends.shape[1], 1, 1)
    steep = dice.log_uniform(0.2, 2.0, *shape)
    slopes = [_slope(bends[0], axis, steep) for axis in (-1, -2)]
    upright = (1.0 + slopes[0].square() + slopes[1].square()).rsqrt()
    turn, high = dice.uniform(0.0, 2 * math.pi, *shape), dice.uniform(0.3, 1.0, *shape)
    flat = (1.0 - high.square()).clamp_min(0.0).sqrt()
    toward = slopes[0] * turn.cos() + slopes[1] * turn.sin()
    facing = ((high - flat * toward) * upright).clamp_min(0.0)
    sky = dice.uniform(0.1, 0.6, *shape)
    half = (2.0 + 2.0 * high).sqrt()
    gleam = ((1.0 + high - flat * toward) * upright / half).clamp(0.0, 1.0)
    sharp = dice.log_uniform(6.0, 300.0, *shape)
    gloss = dice.log_uniform(0.02, 1.0, *shape) * dice.chance(0.5, *shape)
    shade = torch.lerp(facing, torch.ones_like(facing), sky)
    return (light.exp() * shade[:, None] + (gloss * gleam.pow(sharp))[:, None]).log()


def _slope(height: Tensor, axis: int, steep: Tensor) -> Tensor:
    slope = height - height.roll(1, axis)
    return slope / slope.square().mean((1, 2), keepdim=True).sqrt() * steep


def _over(dice: Dice, under: Tensor, over: Tensor) -> Tensor:
    """Lay a surface with a smooth outline over another, and its shadow beside it."""
    count, side = under.shape[0], under.shape[-1]
    shape = (count, 1, 1)
    outline = noise(dice, count, side, 2.0, 3.6, 4.0) - dice.uniform(-1.0, 1.0, *shape)
    inside = torch.sigmoid(outline * dice.log_uniform(40.0, 1500.0, *shape))
    near = torch.exp(outline.clamp_max(0.0) / dice.log_uniform(0.02, 0.5, *shape))
    shadow = dice.uniform(0.0, 1.5, *shape) * dice.chance(0.6, *shape) * near
    return torch.lerp(under - shadow[:, None], over, inside[:, None])
