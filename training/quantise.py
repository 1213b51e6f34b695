"""Make an eight-bit twin of trained weights, and note in their card what it costs.

python -m training.quantise --weights out/denoise-quality.onnx --band weak
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import onnx
import torch

from pixtools.engine.denoise.variants import Variant
from training import twin, written
from training.bands import BANDS, Band
from training.comparison import card_of, noted, of_twin
from training.dice import Dice
from training.hardening import hardened
from training.jpeg import MARGIN
from training.networks import Denoiser
from training.noise import Patches, spoiled
from training.pool import Pool
from training.ranges import ranges
from training.rounding import Whole, rounded
from training.stepped import stepped, with_steps

LOG = logging.getLogger("training")

SIDE, CHUNK, PATCH = 192, 8, 64
"""Pixels along a made-up photograph's edge, how many are made at once, and pixels
along a patch's edge."""

LOOKED_AT = 40
"""Patches by which ranges are chosen."""

BATCH, RENEWAL = 16, 16
"""Patches in a step of learning, and steps between new photographs."""


def main() -> None:
    began = time.monotonic()
    logging.basicConfig(
        level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(message)s"
    )
    asked = _parser().parse_args()
    torch.set_num_threads(1)
    whole: Path = asked.weights
    band = BANDS[asked.band]
    small = whole.with_name(f"{whole.stem}-int8-{band.name}.onnx")
    dice = Dice(torch.device("cpu"), asked.seed)
    supply = Supply(Pool(dice, asked.photographs, SIDE, CHUNK), dice, band)
    quantised(whole, small, supply, asked.minutes, further=asked.further)
    said = ["python", "-m", "training.quantise", *map(_named, sys.argv[1:])]
    story = {
        "photographs": supply.pool.made,
        "commands": [*(_commands(whole, small) if asked.further else []), said],
        "minutes": round((time.monotonic() - began) / 60.0, 2),
    }
    noted(whole, small, band, asked.crop, story)
    LOG.info("%s", json.dumps(of_twin(whole, small), indent=2))


@dataclass(frozen=True, slots=True)
class Supply:
    """Patches with all the noise of a band, from photographs that change."""

    pool: Pool
    dice: Dice
    band: Band

    def patches(self, count: int = 32) -> Patches:
        noise = (self.band.weakest, self.band.strongest)
        with torch.no_grad():
            return spoiled(self.dice, self.pool.cut(count, PATCH + MARGIN), *noise)

    def drawing(self) -> Callable[[], Patches]:
        """Return what draws the patches of each step."""
        turns = itertools.count(1)

        def draw() -> Patches:
            if next(turns) % RENEWAL == 0:
                self.pool.renew()
            return self.patches(BATCH)

        return draw


def quantised(
    whole: Path,
    small: Path,
    supply: Supply,
    minutes: float = 0.0,
    *,
    further: bool = False,
) -> None:
    """Write `whole` with products of bytes; its first and last layer stay as they are.

    Those two are a two-hundredth of the work, and see and say fractions of a tone.

    Args:
        whole: Trained weights, which stand beside their card.
        small: The file to write.
        supply: Of made-up photographs with noise.
        minutes: Of processor time in which the twin may learn what rounding cost it.
        further: Go on from `small` as it is, instead of rounding anew.
    """
    variant = _variant(whole)
    network, layers = (
        _former(small, variant) if further else _rounded(whole, variant, supply)
    )
    if minutes:
        teacher = trained(whole, variant).requires_grad_(requires_grad=False)
        layers = hardened(network, layers, teacher, supply.drawing(), minutes)
    weights = {name: part.numpy() for name, part in network.state_dict().items()}
    onnx.save(twin.model(variant, weights, layers), small)


def trained(path: Path, variant: Variant) -> Denoiser:
    """Read a network back from its file."""
    network = Denoiser(variant)
    network.load_state_dict(written.weights(path, variant))
    return network


def _rounded(
    whole: Path, variant: Variant, supply: Supply
) -> tuple[Denoiser, dict[int, Whole]]:
    network = trained(whole, variant)
    network = stepped(network, ranges(network, supply.patches(LOOKED_AT)))
    return network, rounded(network, supply.patches())


def _former(small: Path, variant: Variant) -> tuple[Denoiser, dict[int, Whole]]:
    network = with_steps(Denoiser(variant))
    found, layers = twin.read(small, variant)
    network.load_state_dict(found)
    return network.requires_grad_(requires_grad=False), layers


def _variant(whole: Path) -> Variant:
    card = json.loads(card_of(whole).read_bytes())
    numbers = (card["depth"], card["channels"], card["multiple"])
    return Variant(card["variant"], *numbers, conditional=card["conditional"])


def _commands(whole: Path, small: Path) -> list[list[str]]:
    """Return by which commands the twin that is there was made."""
    found: list[list[str]] = of_twin(whole, small)["commands"]
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--weights", type=Path, required=True, help="the .onnx, beside its card")
    add("--band", choices=BANDS, required=True, help="of noise that it is made for")
    add("--photographs", type=int, default=96, help="made up to go by")
    add("--minutes", type=float, default=30.0, help="of learning; 0 only rounds")
    add("--further", action="store_true", help="go on from the twin that is there")
    add("--crop", type=int, default=256, help="pixels of real ones to measure by")
    add("--seed", type=int, default=5)
    return parser


def _named(word: str) -> str:
    return Path(word).name if Path(word).is_absolute() else word


if __name__ == "__main__":
    main()
