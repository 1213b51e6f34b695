"""What pixels cost: milliseconds of one core, from sizes and options alone.

Measured by `python -m benchmarks.prices` and good to a factor of about two, which is
enough to tell a moment from a minute. Nothing is refused for its price.
"""

from __future__ import annotations

from typing import Final

from pixtools.domain.formats import FORMATS
from pixtools.domain.plan import Encode, Model

_READ: Final = {
    "jpg": 9.0, "png": 20.0, "webp": 23.0, "gif": 18.0,
    "tiff": 16.0, "avif": 86.0, "heic": 75.0,
}  # fmt: skip
"""Milliseconds per megapixel, scaling down included."""
_READ_SMALLER: Final = 4.5
"""The same for a JPEG that its decoder may shrink to half or less."""
_WRITE: Final = {
    "jpg": (7,),
    "png": (11, 41, 60, 84, 95, 110, 130, 190, 260, 340),
    "webp": (51, 63, 82, 120, 165, 290, 525),
    "avif": (150, 540, 800, 2500, 7600, 15_000, 27_000, 50_000, 90_000, 150_000),
    "gif": (900, 910, 1030, 1160, 1300, 1800, 2500, 3400, 3900, 4400, 4900),
    "tiff": (135,),
}
"""Milliseconds per megapixel by effort, from 0 on."""
_WRITE_LOSSLESS: Final = {
    "webp": (630, 1000, 1330, 1350, 1360, 1360, 1360),
    "avif": (690, 1100, 1600, 4500, 11_000, 20_000, 35_000, 60_000, 100_000, 170_000),
}
_DENOISE: Final[dict[Model, float]] = {"quality": 10_000, "fast": 2_000}
_TRIES: Final = 6
"""How often a picture is written, about, until it fits into `max_bytes`."""


def reading_ms(format: str, pixels: int, wanted: int | None = None) -> float:
    """Decoding so many pixels where `wanted` are enough; all if None."""
    smaller = format == "jpg" and wanted is not None and wanted * 9 <= pixels
    return 5 + pixels / 1e6 * (_READ_SMALLER if smaller else _READ.get(format, 20.0))


def denoising_ms(model: Model, pixels: int) -> float:
    """Sending so many pixels through a network."""
    return pixels / 1e6 * _DENOISE[model]


def writing_ms(encode: Encode, pixels: int) -> float:
    """Encoding so many pixels, again and again where they are to fit `max_bytes`."""
    kind = FORMATS[encode.format]
    prices = _WRITE[encode.format]
    if encode.lossless:
        prices = _WRITE_LOSSLESS.get(encode.format, prices)
    effort = (kind.effort if encode.effort is None else encode.effort) or 0
    tries = _TRIES if encode.max_bytes else 1
    return 3 + pixels / 1e6 * prices[min(effort, len(prices) - 1)] * tries
