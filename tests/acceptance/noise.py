"""A photo with noise, and how much of it is left."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from pixtools.testing.compare import pixels_of, psnr
from pixtools.testing.images import photo_jpeg

SIGMA = 20.0
"""Standard deviation of the noise, out of 255."""


@dataclass(frozen=True, slots=True)
class NoisyPhoto:
    """A photo as it was, and the file in which noise was added to it."""

    clean: NDArray[Any]
    path: Path

    def gained(self, picture: Path | bytes) -> float:
        """By how many decibels a picture is nearer to the photo than the file is.

        All at the picture's size.
        """
        made = pixels_of(picture)
        clean = _sized(self.clean, made)
        return psnr(made, clean) - psnr(_sized(pixels_of(self.path), made), clean)


def noisy_photo(folder: Path, width: int = 403, height: int = 302) -> NoisyPhoto:
    """A PNG with noise; its sides are odd and even, and it takes several tiles."""
    with Image.open(photo_jpeg(folder / "large.jpg", 4 * width, 4 * height)) as large:
        small = large.resize((width, height), Image.Resampling.BOX)
    # Not so sharp that the little network of a test does it harm.
    clean = np.asarray(small.filter(ImageFilter.GaussianBlur(1.5)))
    grain = np.random.default_rng(7).normal(0.0, SIGMA, clean.shape)
    spoiled = (clean + grain).clip(0, 255).round().astype(np.uint8)
    path = folder / "noisy.png"
    path.write_bytes(as_png(spoiled))
    return NoisyPhoto(clean, path)


def as_png(pixels: NDArray[Any]) -> bytes:
    """A file of these pixels."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


def _sized(pixels: NDArray[Any], like: NDArray[Any]) -> NDArray[Any]:
    size = like.shape[1::-1]
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))
