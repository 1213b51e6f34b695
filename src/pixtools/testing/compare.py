"""How alike two pictures are, in numbers and side by side.

`python -m pixtools.testing.compare expected.png actual.png` prints the numbers and
writes a picture with both and their difference.
"""

from __future__ import annotations

import argparse
import io
import sys
from dataclasses import dataclass
from pathlib import Path

from pixtools.testing.libraries import Image, NDArray, Pixels, np

__all__ = [
    "Difference",
    "dhash",
    "dhash_distance",
    "difference",
    "pixels_of",
    "psnr",
    "side_by_side",
    "ssim",
]

Samples = NDArray[np.integer] | NDArray[np.floating]
_WINDOW = 7


@dataclass(frozen=True, slots=True)
class Difference:
    """Absolute differences over all samples, in the samples' own unit."""

    mean: float
    maximum: float


def pixels_of(picture: Path | bytes) -> Pixels:
    """Decode a file with Pillow: grey, grey with alpha, RGB or RGBA, eight bits."""
    source = io.BytesIO(picture) if isinstance(picture, bytes) else picture
    with Image.open(source) as image:
        plain = image if image.mode in {"L", "LA", "RGB", "RGBA"} else None
        return np.asarray(plain or image.convert("RGBA" if _clear(image) else "RGB"))


def difference(a: Samples, b: Samples) -> Difference:
    """Measure the mean and the largest absolute difference.

    Raises:
        ValueError: the shapes differ.
    """
    gap = np.abs(_gap(a, b))
    return Difference(float(gap.mean()), float(gap.max()))


def psnr(a: Samples, b: Samples, peak: float = 255) -> float:
    """Return the peak signal-to-noise ratio in decibels; infinite when equal."""
    error = float(np.square(_gap(a, b)).mean())
    return float("inf") if error == 0 else float(10 * np.log10(peak**2 / error))


def ssim(a: Samples, b: Samples, peak: float = 255) -> float:
    """Return the mean structural similarity of the luma, at most 1.

    After Wang, Bovik, Sheikh and Simoncelli, "Image Quality Assessment: From Error
    Visibility to Structural Similarity" (2004), with a flat window of 7 x 7.
    """
    x, y = _luma(a), _luma(b)
    _gap(x, y)
    mean_x, mean_y = _windowed(x), _windowed(y)
    scale = _WINDOW**2 / (_WINDOW**2 - 1)
    spread_x = scale * (_windowed(x * x) - mean_x**2)
    spread_y = scale * (_windowed(y * y) - mean_y**2)
    shared = scale * (_windowed(x * y) - mean_x * mean_y)
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    likeness = (2 * mean_x * mean_y + c1) * (2 * shared + c2)
    return float(
        (likeness / ((mean_x**2 + mean_y**2 + c1) * (spread_x + spread_y + c2))).mean()
    )


def dhash(pixels: Pixels) -> int:
    """Return 64 bits that say where the picture gets brighter from left to right.

    Pictures that look alike differ in few bits, whatever their size or quality.
    """
    grey = Image.fromarray(_luma(pixels).round().astype("u1"))
    small = np.asarray(grey.resize((9, 8), Image.Resampling.BOX)).astype(int)
    bits = (small[:, 1:] > small[:, :-1]).flatten()
    return int("".join("1" if bit else "0" for bit in bits), 2)


def dhash_distance(a: Pixels, b: Pixels) -> int:
    """Count the differing bits of two pictures' `dhash`, 0 to 64."""
    return (dhash(a) ^ dhash(b)).bit_count()


def side_by_side(expected: Pixels, actual: Pixels) -> Pixels:
    """Put both pictures and their difference, eight times enlarged, in one row.

    Pictures of different size are put side by side without the difference.
    """
    parts = [_rgb(expected), _rgb(actual)]
    if parts[0].shape == parts[1].shape:
        gap = np.abs(_gap(parts[0], parts[1])) * 8
        parts.append(np.clip(gap, 0, 255).astype("u1"))
    height = max(part.shape[0] for part in parts)
    padded = [
        np.pad(part, ((0, height - part.shape[0]), (4, 4), (0, 0))) for part in parts
    ]
    return np.concatenate(padded, axis=1)


def main(arguments: list[str] | None = None) -> int:
    """Compare two files; the exit status is 0 when their pixels are equal."""
    parser = argparse.ArgumentParser(prog="python -m pixtools.testing.compare")
    parser.add_argument("expected", type=Path)
    parser.add_argument("actual", type=Path)
    parser.add_argument("--open", action="store_true", help="show it in a viewer")
    options = parser.parse_args(arguments)
    expected, actual = pixels_of(options.expected), pixels_of(options.actual)
    both = Image.fromarray(side_by_side(expected, actual))
    target = options.actual.with_suffix(".comparison.png")
    both.save(target)
    sys.stdout.write(
        f"{_words(expected, actual)}\nExpected, actual, 8 x difference: {target}\n"
    )
    if options.open:
        both.show()
    return 0 if np.array_equal(expected, actual) else 1


def _words(expected: Pixels, actual: Pixels) -> str:
    if expected.shape != actual.shape:
        return f"Expected a picture of {expected.shape} but received {actual.shape}."
    gap = difference(expected, actual)
    return (
        f"Mean error {gap.mean:.3f}, largest {gap.maximum:.0f} of 255, "
        f"PSNR {psnr(expected, actual):.1f} dB, SSIM {ssim(expected, actual):.4f}, "
        f"{dhash_distance(expected, actual)} of 64 bits apart."
    )


def _clear(image: Image.Image) -> bool:
    return "transparency" in image.info or "A" in image.getbands()


def _gap(a: Samples, b: Samples) -> NDArray[np.float64]:
    if a.shape != b.shape:
        raise ValueError(
            f"Expected pictures of one shape but received {a.shape} and {b.shape}."
        )
    return np.asarray(a.astype(float) - b.astype(float))


def _rgb(pixels: Pixels) -> Pixels:
    """Flatten to RGB; what is transparent lies on grey."""
    mode = Image.fromarray(pixels)
    over = Image.new("RGBA", mode.size, (128, 128, 128, 255))
    over.alpha_composite(mode.convert("RGBA"))
    return np.asarray(over.convert("RGB"))


def _luma(pixels: Samples) -> NDArray[np.float64]:
    samples = pixels.astype(float)
    if samples.ndim == 2:
        return samples
    if samples.shape[2] < 3:
        return samples[..., 0]
    return np.asarray(samples[..., :3] @ np.array([0.299, 0.587, 0.114]))


def _windowed(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    sums = np.pad(samples, ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    n = _WINDOW
    total = sums[n:, n:] - sums[:-n, n:] - sums[n:, :-n] + sums[:-n, :-n]
    return np.asarray(total / n**2)


if __name__ == "__main__":
    sys.exit(main())
