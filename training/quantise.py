"""Make the eight-bit twin of trained weights, and note in their card what it costs.

python -m training.quantise --weights out/denoise-quality.onnx
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from pathlib import Path

import onnx
import torch

from pixtools.engine.denoise.variants import Variant
from training import twin, written
from training.comparison import card_of, noted
from training.dice import Dice
from training.jpeg import MARGIN
from training.networks import Denoiser
from training.noise import Patches, spoiled
from training.pool import Pool
from training.rounding import rounded
from training.stepped import stepped

LOG = logging.getLogger("training")

SIDE, CHUNK, PATCH = 192, 8, 64
"""Pixels along a made-up photograph's edge, how many are made at once, and pixels
along a patch's edge."""


def main() -> None:
    began = time.monotonic()
    logging.basicConfig(
        level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(message)s"
    )
    asked = _parser().parse_args()
    torch.set_num_threads(1)
    whole: Path = asked.weights
    small = whole.with_name(f"{whole.stem}-int8.onnx")
    dice = Dice(torch.device("cpu"), asked.seed)
    pool = Pool(dice, asked.photographs, SIDE, CHUNK)
    quantised(whole, small, pool, dice)
    story = {
        "calibrated_on": asked.photographs,
        "command": ["python", "-m", "training.quantise", *map(_named, sys.argv[1:])],
        "minutes": round((time.monotonic() - began) / 60.0, 2),
    }
    noted(whole, small, asked.crop, story)
    LOG.info(
        "%s", json.dumps(json.loads(card_of(whole).read_bytes())["int8"], indent=2)
    )


def quantised(whole: Path, small: Path, pool: Pool, dice: Dice) -> None:
    """Write `whole` with products of bytes; its first and last layer stay as they are.

    Those two are a two-hundredth of the work, and see and say fractions of a tone.

    Args:
        whole: Trained weights, which stand beside their card.
        small: The file to write.
        pool: Made-up photographs.
        dice: Where chance comes from.
    """
    variant = _variant(whole)
    network = stepped(trained(whole, variant), shown(pool, dice))
    layers = rounded(network, shown(pool, dice))
    weights = {name: part.numpy() for name, part in network.state_dict().items()}
    onnx.save(twin.model(variant, weights, layers), small)


def trained(path: Path, variant: Variant) -> Denoiser:
    """Read a network back from its file."""
    network = Denoiser(variant)
    network.load_state_dict(written.weights(path, variant))
    return network


def shown(pool: Pool, dice: Dice, count: int = 32) -> Patches:
    """Patches with all the noise that training has."""
    return spoiled(dice, pool.cut(count, PATCH + MARGIN))


def _variant(whole: Path) -> Variant:
    card = json.loads(card_of(whole).read_bytes())
    numbers = (card["depth"], card["channels"], card["multiple"])
    return Variant(card["variant"], *numbers, conditional=card["conditional"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--weights", type=Path, required=True, help="the .onnx, beside its card")
    add("--photographs", type=int, default=48, help="made up to go by")
    add("--crop", type=int, default=256, help="pixels of real ones to measure by")
    add("--seed", type=int, default=5)
    return parser


def _named(word: str) -> str:
    return Path(word).name if Path(word).is_absolute() else word


if __name__ == "__main__":
    main()
