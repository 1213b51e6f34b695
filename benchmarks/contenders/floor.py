"""The floor: libjpeg-turbo decodes once and encodes what is already scaled.

Nobody who works with its pixels can be faster. JPEG only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from benchmarks.contenders.pillow import scaled
from benchmarks.stopwatch import Order, clock, order, tell

Pixels = NDArray[np.uint8]


def work(source: Path, told: Order, pictures: list[Pixels]) -> dict[str, str]:
    """Decode the source once, encode pictures that were scaled beforehand."""
    simplejpeg.decode_jpeg(source.read_bytes(), "RGB")
    files = {}
    for wanted, pixels in zip(told["wanted"], pictures, strict=True):
        path = Path(told["out"], f"{wanted['id']}.jpg")
        quality = wanted["quality"]
        path.write_bytes(simplejpeg.encode_jpeg(pixels, quality, "RGB", "420"))
        files[wanted["id"]] = str(path)
    return files


def prepared(source: Path, wanted: list[dict[str, Any]]) -> list[Pixels]:
    """The source in every size wanted."""
    with Image.open(source) as opened:
        image = opened.convert("RGB")
    return [np.ascontiguousarray(scaled(image.copy(), one)) for one in wanted]


if __name__ == "__main__":
    told = order()
    source = Path(told["source"])
    pictures = prepared(source, told["wanted"])
    tell(clock(lambda: work(source, told, pictures), told["repeats"]))
