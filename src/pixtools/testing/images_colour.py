"""Charts whose colours are known, stored in many colour spaces and ink orders.

A chart is eight patches of 32 pixels in two rows; whatever the file stores, a correct
reader shows `CHART` (or `CMYK_CHART`) in sRGB, and `patches` reads them back.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeVar

from pixtools.testing.images_icc import (
    ADOBE_RGB,
    DISPLAY_P3,
    GREY_GAMMA,
    SRGB,
    RgbSpace,
    cmyk_profile,
    grey_profile,
    rgb_profile,
)
from pixtools.testing.jpeg_structure import ADOBE, segments_mapped
from pixtools.testing.libraries import Image, NDArray, Pixels, np

__all__ = [
    "CHART",
    "CMYK_CHART",
    "GREY_CHART",
    "SPACES",
    "Marker",
    "chart",
    "chart_16_bit",
    "cmyk_jpeg",
    "grey_chart",
    "patches",
    "press_profile",
    "tagged_chart",
]

CHART = (
    (255, 255, 255), (0, 0, 0), (119, 119, 119), (200, 140, 110),
    (200, 40, 40), (40, 160, 60), (40, 60, 180), (230, 200, 60),
)  # fmt: skip
"""The colours of the RGB chart in sRGB, row by row."""

GREY_CHART = (255, 0, 32, 64, 96, 128, 160, 208)
"""The greys of the grey chart as sRGB values, row by row."""

CMYK_CHART = (
    (255, 255, 255), (30, 150, 210), (210, 30, 120), (245, 225, 30),
    (30, 28, 26), (205, 45, 45), (30, 145, 75), (60, 55, 130),
)  # fmt: skip
"""White, cyan, magenta, yellow, black, red, green, blue as the test press prints."""

SPACES: dict[str, RgbSpace] = {
    "srgb": SRGB,
    "display-p3": DISPLAY_P3,
    "adobe-rgb": ADOBE_RGB,
}

Marker = Literal["none", "adobe-cmyk", "adobe-ycck"]
"""How a CMYK JPEG says what its components are."""

Sample = TypeVar("Sample", bound=np.generic)
_PATCH = 32
_INKS = (
    (0, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0),
    (0, 0, 0, 1), (0, 1, 1, 0), (1, 0, 1, 0), (1, 1, 0, 0),
)  # fmt: skip


def chart(space: RgbSpace = SRGB) -> Pixels:
    """Draw the chart with its colours encoded in `space`: 64 x 128 x 3."""
    colours = space.from_srgb(np.array(CHART) / 255) * 255
    return _laid_out(colours.round().astype("u1"))


def chart_16_bit(space: RgbSpace = SRGB) -> NDArray[np.uint16]:
    """Draw the chart in 16 bits per sample, encoded in `space`."""
    colours = space.from_srgb(np.array(CHART) / 255) * 65535
    return _laid_out(colours.round().astype("u2"))


def patches(pixels: NDArray[np.generic]) -> NDArray[np.float64]:
    """Return the mean of the middle of each patch as (8, bands), whatever the size."""
    height, width = pixels.shape[0] / 2, pixels.shape[1] / 4
    means = []
    for number in range(8):
        top, left = number // 4 * height, number % 4 * width
        rows = slice(int(top + height / 4), int(top + height * 3 / 4))
        columns = slice(int(left + width / 4), int(left + width * 3 / 4))
        means.append(np.atleast_1d(pixels[rows, columns].mean(axis=(0, 1))))
    return np.array(means, dtype=float)


def tagged_chart(path: Path, space: str, *, tagged: bool = True) -> Path:
    """Write the chart in one of `SPACES`, tagged with its profile unless told not to.

    The suffix chooses the format: jpg (quality 98, 4:4:4), png, webp (lossless), tif
    or avif.
    """
    profile = rgb_profile(SPACES[space]) if tagged else None
    picture = Image.fromarray(chart(SPACES[space]))
    if path.suffix == ".jpg":
        picture.save(path, icc_profile=profile, quality=98, subsampling=0)
    elif path.suffix == ".avif":
        picture.save(
            path, icc_profile=profile, quality=95, subsampling="4:4:4", speed=9
        )
    else:
        picture.save(path, icc_profile=profile, lossless=True)
    return path


def grey_chart(path: Path) -> Path:
    """Write the grey chart with a gamma 1.8 profile, as jpg, png or tif.

    Read without its profile it is visibly too light.
    """
    light = SRGB.linear(np.array(GREY_CHART) / 255)
    stored = (light ** (1 / GREY_GAMMA) * 255).round().astype("u1")
    picture = Image.fromarray(_laid_out(stored))
    picture.save(path, icc_profile=grey_profile(), quality=98)
    return path


def press_profile() -> bytes:
    """Return the CMYK profile under which `cmyk_jpeg` shows `CMYK_CHART`."""
    corners = np.full((2, 2, 2, 2, 3), (12, 11, 10), dtype="u1")
    corners[1, 1, 1, 0] = (50, 46, 44)
    for inks, colour in zip(_INKS, CMYK_CHART, strict=True):
        corners[inks] = colour
    return cmyk_profile(corners)


def cmyk_jpeg(path: Path, marker: Marker, *, icc: bool = True) -> Path:
    """Write the ink chart as a CMYK JPEG.

    Samples are inverted (255 is no ink), as Photoshop writes them beside its Adobe
    marker. T.81 leaves open what a file without the marker means; libvips and Pillow
    take it for inverted as well, so it is made so.
    """
    inks = _laid_out(np.array(_INKS, dtype="u1") * 255)
    # Pillow inverts what it writes; YCCK has to be undone first to be stored as it is.
    given = 255 - _ycck(inks) if marker == "adobe-ycck" else inks
    file = io.BytesIO()
    picture = Image.fromarray(given, "CMYK")
    profile = press_profile() if icc else None
    picture.save(file, "JPEG", quality=98, subsampling=0, icc_profile=profile)
    path.write_bytes(segments_mapped(file.getvalue(), _remarked(marker)))
    return path


def _laid_out(colours: NDArray[Sample]) -> NDArray[Sample]:
    grid = colours.reshape(2, 4, *colours.shape[1:])
    return grid.repeat(_PATCH, axis=0).repeat(_PATCH, axis=1)


def _ycck(inks: Pixels) -> Pixels:
    """Turn inks into what a YCCK file stores (T.872, 6.5.3): YCC of CMY, K inverted."""
    colour = Image.fromarray(np.ascontiguousarray(inks[..., :3]), "RGB")
    return np.dstack([np.asarray(colour.convert("YCbCr")), 255 - inks[..., 3]])


def _remarked(marker: Marker) -> Callable[[int, bytes], bytes | None]:
    def change(kind: int, content: bytes) -> bytes | None:
        if kind != ADOBE:
            return content
        transform = {"none": None, "adobe-cmyk": 0, "adobe-ycck": 2}[marker]
        return None if transform is None else content[:-1] + bytes([transform])

    return change
