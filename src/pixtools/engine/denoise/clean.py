"""Noise out of a picture of any size, tile by tile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import pyvips
from numpy.typing import NDArray

from pixtools.domain.plan import Denoise, Model
from pixtools.engine.denoise.film import Film, Pixels, film
from pixtools.engine.denoise.noise import estimate
from pixtools.engine.denoise.session import Denoisers, Network
from pixtools.engine.denoise.tiles import Tile, tiles
from pixtools.engine.progress import Progress

SIDE: Final = 232
"""A tile's side in places of the network, each of `multiple` pixels along a side.

Smaller ones repeat more of their margin, larger ones leave the processor's caches; with
eight-bit weights both cost a fifth within a factor of two.
"""

CLEAN_BELOW: Final = 2.0
"""Noise out of 255 that is left alone: nobody sees it; fine texture is as strong."""

_READING: Final = 0.03
"""Share of the time that is spent before the network runs."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A picture and what was found in it: see `OutputFacts`."""

    image: pyvips.Image
    noise_sigma: float
    model: Model | None = None
    skipped: Literal["clean"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaner:
    """What is wanted of one output, and where its pixels may lie meanwhile.

    `weight` is about the milliseconds that it takes, `side` as SIDE.
    """

    wanted: Denoise
    denoisers: Denoisers
    scratch: Path
    progress: Progress
    weight: float
    side: int = SIDE

    def clean(self, image: pyvips.Image) -> Cleaned:
        """Take the noise out of an image of 8 or 16 bits a band.

        The image is read once from top to bottom. Raises DenoiserUnusable,
        EncodeFailed, what libvips raises and what the checkpoint raises.
        """
        model = self.denoisers.choose(self.wanted.model)
        with film(image, self.scratch, self._developer(image)) as noisy:
            sigma = round(estimate(noisy), 2)
            if sigma < CLEAN_BELOW:
                self.progress.advance(self.weight * (1.0 - _READING))
                return Cleaned(noisy.image(), sigma, skipped="clean")
            network = self.denoisers.open(model)
            with film(image, self.scratch) as clean:
                self._all_tiles(network, sigma / 255.0, noisy, clean)
                return Cleaned(clean.image(), sigma, model=model)

    def _developer(self, image: pyvips.Image) -> Callable[[str], None]:
        def write(path: str) -> None:
            with self.progress.during(image, self.weight * _READING) as watched:
                watched.rawsave(path, keep=0)

        return write

    def _all_tiles(
        self, network: Network, sigma: float, noisy: Film, clean: Film
    ) -> None:
        weights = network.weights
        size = (noisy.width, noisy.height)
        side, multiple = self.side * weights.multiple, weights.multiple
        grid = tiles(size, side=side, halo=weights.halo, multiple=multiple)
        share = self.weight * (1.0 - _READING) / len(grid)
        for tile in grid:
            pixels = noisy.read(tile.across.read, tile.down.read)
            made = cleaned_tile(
                pixels, tile, network, sigma, self.wanted.strength, noisy.colours
            )
            clean.write(made, tile.across.kept, tile.down.kept[0])
            self.progress.advance(share)


def cleaned_tile(
    pixels: Pixels,
    tile: Tile,
    network: Network,
    sigma: float,
    strength: float,
    colours: int,
) -> Pixels:
    """What is kept of a tile; alpha as it was, fractions rounded once."""
    top = np.iinfo(pixels.dtype).max
    noisy = _light(pixels, colours, top)
    even = _extended(noisy, network.weights.multiple)
    found = network.clean(even, sigma)[:, : noisy.shape[1], : noisy.shape[2]]
    inside = _inside(tile)
    noisy, found = noisy[inside], found[inside]
    blended: Floats = noisy + np.float32(strength) * (found - noisy)
    if colours == 1:
        blended = blended.mean(axis=0, keepdims=True)
    kept = pixels[inside[1:]].copy()
    kept[..., :colours] = _stored(blended, top).transpose(1, 2, 0)
    return kept


def _light(pixels: Pixels, colours: int, top: int) -> Floats:
    """Three planes of 0..1; grey is three times the same."""
    planes = np.multiply(pixels[..., :colours], 1.0 / top, dtype=np.float32)
    shape = (3, *pixels.shape[:2])
    return np.ascontiguousarray(np.broadcast_to(planes.transpose(2, 0, 1), shape))


def _extended(planes: Floats, multiple: int) -> Floats:
    """Sides that are multiples: the last row and column seen in a mirror."""
    short = [-side % multiple for side in planes.shape[1:]]
    if not any(short):
        return planes
    return np.pad(planes, ((0, 0), *((0, more) for more in short)), mode="symmetric")


def _inside(tile: Tile) -> tuple[slice, slice, slice]:
    down, across = (
        slice(span.kept[0] - span.read[0], span.kept[1] - span.read[0])
        for span in (tile.down, tile.across)
    )
    return slice(None), down, across


def _stored(planes: Floats, top: int) -> NDArray[Any]:
    light: Floats = np.rint(np.clip(planes, 0.0, 1.0) * np.float32(top))
    return light.astype(np.uint16 if top > 255 else np.uint8)
