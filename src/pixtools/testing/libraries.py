"""The test-only libraries that the image makers stand on, or a clear sentence.

Everything in `testing` that makes pictures imports numpy and Pillow from here, so a
deployment without the test dependencies learns at once what it lacks.
"""

from __future__ import annotations

from pathlib import Path

try:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image, ImageDraw, ImageFilter, ImageFont
    from PIL.PngImagePlugin import PngInfo
except ImportError as missing:
    raise ImportError(
        f"Expected the test libraries for making images but {missing.name} is not "
        "installed. Install numpy, Pillow and pillow-heif."
    ) from missing

__all__ = [
    "Image",
    "ImageDraw",
    "ImageFilter",
    "ImageFont",
    "NDArray",
    "Pixels",
    "PngInfo",
    "np",
    "save_heic",
]

Pixels = NDArray[np.uint8]
"""Eight-bit samples: (height, width, bands), or (height, width) for grey."""


def save_heic(picture: Image.Image, path: Path, **options: object) -> Path:
    """Save as HEIC and return the path; `options` are pillow-heif's.

    Raises:
        ImportError: pillow-heif, the only encoder at hand, is not installed.
    """
    try:
        import pillow_heif
    except ImportError as missing:
        raise ImportError(
            "Expected pillow-heif for making a HEIC but it is not installed. "
            "Install pixtools[heic]."
        ) from missing
    pillow_heif.from_pillow(picture).save(path, **options)
    return path
