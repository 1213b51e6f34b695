"""Write TIFF images of any depth, order and layout (TIFF 6.0, sections 3 to 8, 15)."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from pixtools.testing.libraries import NDArray, np
from pixtools.testing.tiff_structure import (
    ByteOrder,
    Chunks,
    Directory,
    longs,
    rationals,
    shorts,
    tiff_structure,
)

__all__ = ["CMYK", "tiff_image", "tiff_page"]

GREY, RGB, CMYK = 1, 2, 5
"""Photometric interpretations."""

_NONE, _DEFLATE = 1, 8
_ROWS_PER_STRIP = 32
Samples = NDArray[np.uint8] | NDArray[np.uint16]
Stored = NDArray[np.generic]


def tiff_image(
    pages: Sequence[Samples],
    *,
    order: ByteOrder = "<",
    photometric: int | None = None,
    tile: int | None = None,
    deflate: bool = False,
    extra: Directory | None = None,
) -> bytes:
    """Encode pages of (height, width) or (height, width, bands), 8 or 16 bits.

    Strips unless `tile` gives a tile's side in pixels (a multiple of 16); `extra` are
    fields for the first page, such as an `exif_directory`.
    """
    directories = [
        tiff_page(page, order, photometric=photometric, tile=tile, deflate=deflate)
        for page in pages
    ]
    directories[0].update(extra or {})
    return tiff_structure(directories, order)


def tiff_page(
    samples: Samples,
    order: ByteOrder = "<",
    *,
    photometric: int | None = None,
    tile: int | None = None,
    deflate: bool = False,
) -> Directory:
    """Return the directory of one page; a second or fourth band beside grey or RGB
    is straight alpha.
    """
    image = samples[..., None] if samples.ndim == 2 else samples
    height, width, bands = image.shape
    stored = image.astype(image.dtype.newbyteorder(order))
    parts = _tiles(stored, tile) if tile else _strips(stored)
    chunks = tuple(zlib.compress(part) if deflate else part for part in parts)
    kind = photometric or (RGB if bands > 2 else GREY)
    page: Directory = {
        0x0100: longs(width),
        0x0101: longs(height),
        0x0102: shorts(*[image.dtype.itemsize * 8] * bands),
        0x0103: shorts(_DEFLATE if deflate else _NONE),
        0x0106: shorts(kind),
        0x0115: shorts(bands),
        0x011A: rationals((72, 1)),
        0x011B: rationals((72, 1)),
        0x0128: shorts(2),
    }
    if bands in {2, 4} and kind != CMYK:
        page[0x0152] = shorts(2)
    lengths = longs(*map(len, chunks))
    if tile:
        side = longs(tile)
        page |= {0x0142: side, 0x0143: side, 0x0144: Chunks(chunks), 0x0145: lengths}
    else:
        rows = longs(_ROWS_PER_STRIP)
        page |= {0x0111: Chunks(chunks), 0x0116: rows, 0x0117: lengths}
    return page


def _strips(image: Stored) -> list[bytes]:
    tops = range(0, image.shape[0], _ROWS_PER_STRIP)
    return [image[top : top + _ROWS_PER_STRIP].tobytes() for top in tops]


def _tiles(image: Stored, side: int) -> list[bytes]:
    height, width, _ = image.shape
    padded = np.pad(image, ((0, -height % side), (0, -width % side), (0, 0)), "edge")
    return [
        padded[top : top + side, left : left + side].tobytes()
        for top in range(0, height, side)
        for left in range(0, width, side)
    ]
