"""From light to a photograph: lens, sensor, demosaic, tone, sharpening, eight bits."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as nn
from torch import Tensor

from training.dice import Dice
from training.scenes.fields import noise

LUMA = torch.tensor([0.2126, 0.7152, 0.0722])


def focused(dice: Dice, light: Tensor) -> Tensor:
    """Blur by a lens, sharply in most pictures, and more where the depth differs."""
    count, side = light.shape[0], light.shape[-1]
    sharp = _blurred(dice, light, dice.log_uniform(0.2, 1.0, count))
    far = _blurred(dice, light.roll(1, 0), dice.log_uniform(1.0, 14.0, count))
    depth = noise(dice, count, side, 1.5, 2.2) - dice.uniform(0.3, 2.0, count, 1, 1)
    # The nearer picture keeps an edge against what lies out of focus behind it.
    mask = torch.sigmoid(depth * dice.log_uniform(8.0, 80.0, count, 1, 1))
    mask = mask * dice.chance(0.3, count, 1, 1)
    soft = dice.chance(0.08, count, 1, 1)
    return torch.lerp(sharp, far, torch.where(soft, 1.0, mask)[:, None])


def mosaicked(dice: Dice, light: Tensor) -> Tensor:
    """Keep one colour per pixel (Bayer) and guess the others, sides even.

    The guess is the linear one of Malvar, He and Cutler (2004), at unit white balance.
    """
    down, across = dice.one_of(2), dice.one_of(2)
    light = light.roll((down, across), (2, 3))
    red, green = _sites(light.shape[-1], light.device)
    blue = red.roll((1, 1), (0, 1))
    sites = torch.stack([red, green, blue])
    raw = (light * sites).sum(1, keepdim=True)
    guess = nn.conv2d(nn.pad(raw, (2, 2, 2, 2), "reflect"), _malvar(light.device))
    cross, along, beside, corner = guess.split(1, dim=1)
    rows = (red.amax(1) > 0)[:, None]
    red_rows = torch.where(rows, along, beside)
    blue_rows = torch.where(rows, beside, along)
    full = [
        torch.where(red > 0, raw, torch.where(blue > 0, corner, red_rows)),
        torch.where(green > 0, raw, cross),
        torch.where(blue > 0, raw, torch.where(red > 0, corner, blue_rows)),
    ]
    return torch.cat(full, 1).roll((-down, -across), (2, 3)).clamp_min_(0.0)


def developed(dice: Dice, light: Tensor) -> Tensor:
    """Expose, balance, saturate, curve and sharpen; return 0 … 1, 8-bit steps."""
    count = light.shape[0]
    shape = (count, 1, 1, 1)
    level = light.mean((1, 2, 3), keepdim=True)
    light = light / level * dice.log_uniform(0.08, 0.50, *shape)
    # Lamps, evenings and wooden rooms tint a picture as a whole.
    cast = dice.log_uniform(0.03, 0.15, *shape) * dice.normal(count, 3, 1, 1)
    light = light * cast.exp()
    grey = (light * LUMA.to(light.device)[:, None, None]).sum(1, keepdim=True)
    colour = dice.uniform(0.5, 1.5, *shape) * ~dice.chance(0.05, *shape)
    light = torch.lerp(grey, light, colour).clamp_(0.0, 4.0)
    shoulder = dice.uniform(1.0, 4.0, *shape)
    light = light * (1 + light / shoulder.square()) / (1 + light)
    black = dice.uniform(0.0, 0.02, *shape) * dice.chance(0.6, *shape)
    light = (light - black) * dice.uniform(1.0, 1.6, *shape)
    tone = _srgb(light.clamp(0.0, 1.0))
    curve = tone * tone * (3.0 - 2.0 * tone)
    tone = torch.lerp(tone, curve, dice.uniform(0.0, 0.7, *shape))
    lifted = dice.uniform(0.0, 0.06, *shape) * dice.chance(0.4, *shape)
    tone = _sharpened(dice, _thrifty(dice, lifted + (1 - lifted) * tone))
    return (tone.clamp(0.0, 1.0) * 255.0).round_().div_(255.0)


def _thrifty(dice: Dice, tone: Tensor) -> Tensor:
    """Keep a quarter of the chroma (4:2:0), as most JPEG files do, of every other."""
    half = dice.chance(0.5, tone.shape[0], 1, 1, 1)
    grey = (tone * LUMA.to(tone.device)[:, None, None]).sum(1, keepdim=True)
    chroma = nn.avg_pool2d(tone - grey, 2, ceil_mode=True)
    chroma = nn.interpolate(chroma, size=tone.shape[-2:], mode="bilinear")
    return torch.where(half, grey + chroma, tone)


def _blurred(dice: Dice, light: Tensor, spread: Tensor) -> Tensor:
    """Blur each picture by an elliptic Gaussian of `spread` pixels, seamlessly."""
    count, side = light.shape[0], light.shape[-1]
    angle = dice.uniform(0.0, math.pi, count, 1, 1)
    ratio = dice.log_uniform(1.0, 2.0, count, 1, 1).sqrt()
    down = torch.fft.fftfreq(side, device=dice.device)[None, :, None]
    across = torch.fft.rfftfreq(side, device=dice.device)[None, None, :]
    along = (across * angle.cos() + down * angle.sin()) * ratio
    beside = (down * angle.cos() - across * angle.sin()) / ratio
    square = along.square() + beside.square()
    transfer = (square * (-2 * math.pi**2 * spread.square()[:, None, None])).exp()
    spectrum = torch.fft.rfft2(light) * transfer[:, None]
    return torch.fft.irfft2(spectrum, s=(side, side)).clamp_min_(0.0)


def _sharpened(dice: Dice, tone: Tensor) -> Tensor:
    """Add back what a small blur takes away, as cameras and editors do."""
    shape = (tone.shape[0], 1, 1, 1)
    blur = nn.avg_pool2d(nn.pad(tone, (1, 1, 1, 1), "reflect"), 3, 1)
    amount = dice.uniform(0.0, 2.0, *shape) * dice.chance(0.6, *shape)
    return tone + amount * (tone - blur)


def _srgb(light: Tensor) -> Tensor:
    """The transfer curve of IEC 61966-2-1."""
    curve = 1.055 * light.clamp_min(0.0031308).pow(1 / 2.4) - 0.055
    return torch.where(light <= 0.0031308, 12.92 * light, curve)


def _sites(side: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return where red and where green is measured: RGGB, 1 or 0."""
    axis = torch.arange(side, device=device) % 2
    odd = axis[:, None] + axis[None, :]
    return (odd == 0).float(), (odd == 1).float()


def _malvar(device: torch.device) -> Tensor:
    """The four 5 × 5 filters: green; colour by row, by column, at the corner."""
    green = [
        [0, 0, -2, 0, 0],
        [0, 0, 4, 0, 0],
        [-2, 4, 8, 4, -2],
        [0, 0, 4, 0, 0],
        [0, 0, -2, 0, 0],
    ]
    row = [
        [0, 0, 1, 0, 0],
        [0, -2, 0, -2, 0],
        [-2, 8, 10, 8, -2],
        [0, -2, 0, -2, 0],
        [0, 0, 1, 0, 0],
    ]
    corner = [
        [0, 0, -3, 0, 0],
        [0, 4, 0, 4, 0],
        [-3, 0, 12, 0, -3],
        [0, 4, 0, 4, 0],
        [0, 0, -3, 0, 0],
    ]
    filters = torch.tensor([green, row, row, corner], device=device) / 16.0
    filters[2] = filters[1].T
    return filters[:, None]
