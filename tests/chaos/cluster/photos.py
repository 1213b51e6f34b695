"""Small photographs of several kinds, one of them torn off and one large."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from PIL import Image

from pixtools.testing.images import photo, photo_jpeg, with_orientation
from pixtools.testing.images_exif import SAMPLE_SHOT, exif_blob

TORN: Final = "torn.jpg"
"""Its header is good, so that it is accepted; half of its pixels are missing."""
LARGE: Final = "large.tif"
"""Larger than one part of an upload in parts."""


def _camera(path: Path) -> None:
    photo_jpeg(path, 300, 200, exif=exif_blob(**SAMPLE_SHOT))


def _small(path: Path) -> None:
    photo_jpeg(path, 96, 64, seed=1)


def _torn(path: Path) -> None:
    whole = photo_jpeg(path, 300, 200, seed=2).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def _clear(path: Path) -> None:
    picture = Image.fromarray(photo(160, 120, 3))
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    picture.save(path)


def _plain(path: Path) -> None:
    Image.fromarray(photo(200, 150, 4)).save(path)


def _large(path: Path) -> None:
    # Ten megabytes that cost next to nothing to decode.
    Image.fromarray(photo(500, 375, 5)).resize((2100, 1600)).save(path)


SMALL: Final[Mapping[str, Callable[[Path], object]]] = {
    "camera.jpg": _camera,
    "small.jpg": _small,
    "turned.jpg": lambda path: with_orientation(path, 6),
    "clear.png": _clear,
    "web.webp": _plain,
    "scan.tif": _plain,
}
"""Those that any pipeline can be asked of."""


def take_photos(directory: Path) -> dict[str, Path]:
    """Write them all; their paths by name."""
    paths = {}
    for name, write in {**SMALL, TORN: _torn, LARGE: _large}.items():
        paths[name] = directory / name
        write(paths[name])
    return paths
