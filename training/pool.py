"""A pool of made-up photographs that patches are cut from, renewed all the time."""

from __future__ import annotations

import torch
from torch import Tensor

from training.dice import Dice
from training.scenes.photographs import photographs

EDGE = 4
"""Pixels along the border that no patch takes: blurs wrap around there."""

GREY = 0.06
"""Share of patches without colour."""


class Pool:
    """`size` photographs of `side` pixels on the device, as bytes.

    `pictures` is size × side × side × 3; `made` counts all that were ever made.
    """

    def __init__(self, dice: Dice, size: int, side: int, chunk: int) -> None:
        self._dice = dice
        self._chunk = chunk
        self._next = 0
        shape = (size, side, side, 3)
        self.pictures = torch.empty(shape, dtype=torch.uint8, device=dice.device)
        self.made = 0
        while self.made < size:
            self.renew()

    def renew(self) -> None:
        """Replace the `chunk` oldest photographs."""
        size, side = self.pictures.shape[:2]
        count = min(self._chunk, size - self._next)
        place = slice(self._next, self._next + count)
        self.pictures[place] = photographs(self._dice, count, side).permute(0, 2, 3, 1)
        self._next = (self._next + count) % size
        self.made += count

    def cut(self, count: int, side: int) -> Tensor:
        """Cut patches anywhere, turned and mirrored at random.

        Returns:
            count × 3 × side × side, 0 … 1.
        """
        dice, shape = self._dice, (count, 1, 1)
        size, width = self.pictures.shape[:2]
        picture = dice.integers(size, *shape)
        room = width - side - 2 * EDGE + 1
        first, second = self._axis(count, side), self._axis(count, side).transpose(1, 2)
        turned = dice.chance(0.5, *shape)
        down = torch.where(turned, second, first) + dice.integers(room, *shape) + EDGE
        across = torch.where(turned, first, second) + dice.integers(room, *shape) + EDGE
        flat = self.pictures.reshape(-1, 3)
        return self._developed(flat[(picture * width + down) * width + across])

    def _axis(self, count: int, side: int) -> Tensor:
        """Return 0 … side-1, or backwards, as count × side × 1."""
        axis = torch.arange(side, device=self._dice.device)[None, :, None]
        mirrored = self._dice.chance(0.5, count, 1, 1)
        return torch.where(mirrored, side - 1 - axis, axis)

    def _developed(self, pixels: Tensor) -> Tensor:
        patches = pixels.permute(0, 3, 1, 2).float() / 255.0
        grey = self._dice.chance(GREY, patches.shape[0], 1, 1, 1)
        return torch.where(grey, patches.mean(1, keepdim=True), patches)
