"""What baseline JPEG does to pixels, without the bytes, on any device."""

from __future__ import annotations

import functools
import math

import torch
import torch.nn.functional as nn
from torch import Tensor

from training.dice import Dice

MARGIN = 16
"""Pixels of a block of four-to-one chroma: sides are multiples of it."""

LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
"""Quantisation of ITU-T T.81, table K.1."""

CHROMINANCE = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * 8,) * 4,
)
"""Table K.2."""

YCBCR = (
    (0.299, 0.587, 0.114),
    (-0.168736, -0.331264, 0.5),
    (0.5, -0.418688, -0.081312),
)
"""JFIF's colours, before the offset."""


def compressed(dice: Dice, pictures: Tensor) -> Tensor:
    """Return n × 3 × h × w pictures, 0 … 1, as JPEG of quality 40 to 98 would.

    Half of each batch keeps its chroma whole, half has it halved along both sides.
    """
    count = pictures.shape[0]
    quality = dice.uniform(40.0, 98.0, count, 1, 1)
    colours, back = _colours(pictures.device)
    planes = torch.einsum("ij,njhw->nihw", colours, pictures * 255.0).round_()
    luma = _quantised(planes[:, :1] - 128.0, _table(LUMINANCE, quality)) + 128.0
    table = _table(CHROMINANCE, quality)
    half = count // 2
    whole = _quantised(planes[half:, 1:], table[half:])
    small = _quantised(nn.avg_pool2d(planes[:half, 1:], 2), table[:half])
    large = nn.interpolate(small, scale_factor=2, mode="bilinear")
    planes = torch.cat([luma, torch.cat([large, whole])], dim=1).round_()
    mixed = torch.einsum("ij,njhw->nihw", back, planes)
    return (mixed.clamp(0.0, 255.0)).round() / 255.0


def _table(base: tuple[tuple[int, ...], ...], quality: Tensor) -> Tensor:
    """Scale a table as libjpeg does: n × 8 × 8 steps."""
    steps = _steps(base, quality.device)
    scale = torch.where(quality < 50.0, 5000.0 / quality, 200.0 - 2.0 * quality)
    return ((steps * scale + 50.0) / 100.0).floor().clamp(1.0, 255.0)


def _quantised(planes: Tensor, table: Tensor) -> Tensor:
    """Transform 8 × 8 blocks by the cosine transform, round to the table, go back."""
    count, depth, height, width = planes.shape
    blocks = planes.reshape(count, depth, height // 8, 8, width // 8, 8)
    blocks = blocks.permute(0, 1, 2, 4, 3, 5)
    cosines = _cosines(planes.device)
    steps = table[:, None, None, None]
    wave = ((cosines @ blocks @ cosines.T) / steps).round() * steps
    back = (cosines.T @ wave @ cosines).permute(0, 1, 2, 4, 3, 5)
    return back.reshape(count, depth, height, width)


# Constants stay on the device: copying them there each time would wait for it.
@functools.cache
def _colours(device: torch.device) -> tuple[Tensor, Tensor]:
    colours = torch.tensor(YCBCR)
    return colours.to(device), torch.linalg.inv(colours).to(device)


@functools.cache
def _steps(base: tuple[tuple[int, ...], ...], device: torch.device) -> Tensor:
    return torch.tensor(base, device=device, dtype=torch.float32)


@functools.cache
def _cosines(device: torch.device) -> Tensor:
    """The orthonormal cosine transform of eight values."""
    place = torch.arange(8, device=device)
    waves = torch.cos((2 * place[None, :] + 1) * place[:, None] * math.pi / 16) / 2
    waves[0] /= math.sqrt(2.0)
    return waves
