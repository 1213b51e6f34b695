"""Made-up photographs, from falling leaves to eight bits, all on one device."""

from __future__ import annotations

import torch
import torch.nn.functional as nn
from torch import Tensor

from training.dice import Dice
from training.scenes.camera import developed, focused, mosaicked
from training.scenes.colours import paint
from training.scenes.leaves import scatter
from training.scenes.textures import bank

SCALES = (1.5, 2.0, 2.0, 2.5)
"""Pixels that are drawn for a pixel that is kept, along an edge."""


def photographs(dice: Dice, count: int, side: int) -> Tensor:
    """Make `count` photographs.

    Returns:
        count × 3 × side × side, uint8, sRGB. Pictures that are drawn together share
        the ratio they are scaled by and whether they saw a mosaic; all else is each
        picture's own.
    """
    drawn = int(side * SCALES[dice.one_of(len(SCALES))]) // 2 * 2
    with torch.inference_mode():
        light = paint(dice, scatter(dice, count, drawn), bank(dice))
        light = focused(dice, light)
        light = _sensed(dice, light, side)
        tone = developed(dice, light)
        return tone.mul_(255.0).round_().to(torch.uint8)


def _sensed(dice: Dice, light: Tensor, side: int) -> Tensor:
    """Scale down to `side`, in a share of the cases with a Bayer mosaic on the way."""
    way = dice.one_of(10)
    if way < 3:
        # A camera's picture that was made smaller afterwards, as most are.
        between = int(side * 1.25) // 2 * 2
        light = mosaicked(dice, _smaller(dice, light, between))
    light = _smaller(dice, light, side)
    return mosaicked(dice, light) if way == 3 else light


def _smaller(dice: Dice, light: Tensor, side: int) -> Tensor:
    """Scale by one of the filters in use; the cubic one rings a little."""
    if light.shape[-1] == side:
        return light
    mode = ("area", "bilinear", "bicubic", "bicubic")[dice.one_of(4)]
    smooth = {} if mode == "area" else {"antialias": True}
    smaller = nn.interpolate(light, size=(side, side), mode=mode, **smooth)
    return smaller.clamp_min_(0.0)
