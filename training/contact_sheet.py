"""Lay made-up photographs out on one page, to be looked at before training.

python -m training.contact_sheet --out sheet.png
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from training.dice import Dice
from training.scenes.photographs import photographs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("sheet.png"))
    parser.add_argument("--rows", type=int, default=5)
    parser.add_argument("--columns", type=int, default=7)
    parser.add_argument("--side", type=int, default=192)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    dice = Dice(torch.device(asked.device), asked.seed)
    started = time.perf_counter()
    rows = [photographs(dice, asked.columns, asked.side) for _ in range(asked.rows)]
    seconds = time.perf_counter() - started
    Image.fromarray(page(torch.stack(rows)).cpu().numpy()).save(asked.out)
    count = asked.rows * asked.columns
    print(f"{count} photographs of {asked.side} px: {seconds / count:.3f} s each")


def page(rows: Tensor, gap: int = 4) -> Tensor:
    """Return rows × columns × 3 × side × side pictures as one, height × width × 3."""
    framed = torch.nn.functional.pad(rows, (0, gap, 0, gap), value=255)
    down, across, _, side, _ = framed.shape
    return framed.permute(0, 3, 1, 4, 2).reshape(down * side, across * side, 3)


if __name__ == "__main__":
    main()
