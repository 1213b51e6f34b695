"""The way of the first PixTools: PyTorch, eager, the whole picture at once.

Run by a Python that has PyTorch; the network's weights are chance, which costs the
same. Prints a `Shift` as JSON.
"""

from __future__ import annotations

import itertools
import json
import sys

import torch

from benchmarks.stopwatch import clock, tell

DEPTH, CHANNELS = 20, 64


def main() -> None:
    """Denoise one picture of chance of the size that is ordered."""
    told = json.loads(sys.argv[1])
    layers: list[torch.nn.Module] = []
    widths = [3, *[CHANNELS] * (DEPTH - 1), 3]
    for inner, outer in itertools.pairwise(widths):
        layers += [torch.nn.Conv2d(inner, outer, 3, padding=1), torch.nn.ReLU(True)]
    network = torch.nn.Sequential(*layers[:-1]).eval()
    picture = torch.rand(1, 3, told["height"], told["width"])

    def work() -> dict[str, str]:
        with torch.no_grad():
            clean = (picture - network(picture)).clamp(0.0, 1.0)
        return {"mean": f"{clean.mean():.3f}"}

    tell(clock(work, told["repeats"]))


if __name__ == "__main__":
    main()
