"""Real photographs that no network is ever trained on, from installed packages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SHIPPED = {
    "sklearn": ("datasets/images/china.jpg", "datasets/images/flower.jpg"),
    "skimage": (
        "data/astronaut.png",
        "data/chelsea.png",
        "data/coffee.png",
        "data/motorcycle_left.png",
        "data/rocket.jpg",
    ),
}
"""Files inside the wheels of scikit-learn and scikit-image; nothing is downloaded."""

UNSEEN = {
    "matplotlib": ("mpl-data/sample_data/grace_hopper.jpg",),
    "skimage": ("data/hubble_deep_field.jpg", "data/ihc.png", "data/retina.jpg"),
}
"""Pictures of cameras that no choice was made by: of networks, scenes or options."""


@dataclass(frozen=True, slots=True)
class Photo:
    """`pixels` is height × width × 3, float32, 0 … 1."""

    name: str
    pixels: NDArray[np.float32]


def held_out(crop: int, files: Mapping[str, Sequence[str]] = SHIPPED) -> list[Photo]:
    """Return the middle of each photograph, at most `crop` pixels along a side.

    Raises:
        FileNotFoundError: None of the packages is installed.
    """
    paths = [path for name, those in files.items() for path in _found(name, those)]
    if not paths:
        wanted = " or ".join(files)
        raise FileNotFoundError(f"Expected {wanted} to be installed, found neither.")
    return [Photo(path.stem, _middle(_pixels(path), crop)) for path in paths]


def noisy(photo: Photo, sigma: int, number: int) -> NDArray[np.float32]:
    """Add Gaussian noise of σ = `sigma`/255, the same on every machine, not cut off."""
    grain = np.random.default_rng((sigma, number)).standard_normal(photo.pixels.shape)
    return (photo.pixels + grain * (sigma / 255.0)).astype(np.float32)


def psnr(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return the peak signal-to-noise ratio in decibels; `one` is cut to 0 … 1."""
    error = float(np.mean(np.square(np.clip(one, 0.0, 1.0) - other, dtype=np.float64)))
    return float(-10.0 * np.log10(max(error, 1e-10)))


def _found(package: str, files: Sequence[str]) -> list[Path]:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return []
    folder = Path(spec.origin).parent
    return [folder / name for name in files if (folder / name).exists()]


def _pixels(path: Path) -> NDArray[np.float32]:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"), dtype=np.float32) / np.float32(255.0)


def _middle(pixels: NDArray[np.float32], crop: int) -> NDArray[np.float32]:
    """Cut the middle out, its sides even, as the fast network needs them."""
    height, width = (min(crop, side) // 2 * 2 for side in pixels.shape[:2])
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return pixels[top : top + height, left : left + width]
