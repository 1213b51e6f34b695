"""From pixels to a file, with the defaults of the contract."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pyvips

from pixtools.domain.errors import MaxBytesUnreachable
from pixtools.domain.formats import FORMATS
from pixtools.domain.plan import Encode
from pixtools.engine.faults import output_fault
from pixtools.engine.ops import colour
from pixtools.engine.vips import TROUBLE, said

DEEP: Final = ("png", "tiff")
"""Formats that keep the 16 bits a band of a 16-bit source."""

SAVERS: Final = {
    "jpg": "jpegsave",
    "png": "pngsave",
    "webp": "webpsave",
    "avif": "heifsave",
    "gif": "gifsave",
    "tiff": "tiffsave",
}
_GREY = ("jpg", "png", "tiff")

Write = Callable[[int | None], int]
"""Write the file at a quality; gives its size in bytes."""


def fit_for(image: pyvips.Image, encode: Encode) -> pyvips.Image:
    """Bring the image's bands to what its format can hold."""
    if not FORMATS[encode.format].alpha:
        image = colour.flatten(image, encode.background)
    if encode.format not in DEEP:
        image = colour.shallow(image)
    return image if encode.format in _GREY else colour.to_rgb(image)


def write(
    image: pyvips.Image, path: Path, encode: Encode, *, quality: int | None, keep: int
) -> int:
    """Write the image, give the file's size in bytes; raises EncodeFailed.

    `keep` has libvips' flags of the metadata that stays.
    """
    saver = getattr(image, SAVERS[encode.format])
    try:
        saver(str(path), keep=keep, **_options(encode, quality))
    except TROUBLE as error:
        raise output_fault(said(error), encode.format) from error
    return path.stat().st_size


def best_quality(write: Write, asked: int, max_bytes: int) -> int:
    """Bisect for the highest quality up to `asked` that fits; at most 8 writes.

    The caller's `write` must leave the file of its last success in place. Raises
    MaxBytesUnreachable.
    """
    size = write(asked)
    if size <= max_bytes:
        return asked
    low, high, best = 1, asked - 1, 0
    while low <= high:
        middle = (low + high) // 2
        size = write(middle)
        if size <= max_bytes:
            low, best = middle + 1, middle
        else:
            high = middle - 1
    if not best:
        raise MaxBytesUnreachable(
            f"Expected at most {max_bytes} bytes for max_bytes "
            f"but the lowest quality still takes {size}."
        )
    return best


def _options(encode: Encode, quality: int | None) -> dict[str, Any]:
    kind = FORMATS[encode.format]
    effort = kind.effort if encode.effort is None else encode.effort
    quality = quality or kind.quality
    match encode.format:
        case "png":
            return {"compression": effort, "filter": "sub"}
        case "webp":
            return {"Q": quality, "effort": effort, "lossless": encode.lossless}
        case "avif":
            av1 = {"compression": "av1", "bitdepth": 8, "lossless": encode.lossless}
            return {**av1, "Q": quality, "effort": effort}
        case "gif":
            return {"effort": effort}
        case "tiff":
            return {"compression": "deflate", "predictor": "horizontal"}
        case _:
            return {"Q": quality}
