"""Pillow, as the seed used it: every output opens and decodes the source anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from benchmarks.stopwatch import Order, clock, order, tell

_NAMES = {"jpg": "JPEG"}
_SLOWEST_AVIF = 9


def work(told: Order) -> dict[str, str]:
    """Make every file of the order, one after the other."""
    files = {}
    for wanted in told["wanted"]:
        path = Path(told["out"], f"{wanted['id']}.{wanted['format']}")
        with Image.open(told["source"]) as opened:
            image = scaled(opened.convert("RGB"), wanted)
            name = _NAMES.get(wanted["format"], wanted["format"].upper())
            image.save(path, name, **_options(wanted))
        files[wanted["id"]] = str(path)
    return files


def scaled(image: Image.Image, wanted: dict[str, Any]) -> Image.Image:
    side = wanted["side"]
    if not side:
        return image
    if wanted["fit"] == "cover":
        return ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    return image


def _options(wanted: dict[str, Any]) -> dict[str, int]:
    options = {}
    if wanted["quality"] is not None:
        options["quality"] = wanted["quality"]
    effort = wanted["effort"]
    if effort is None:
        return options
    match wanted["format"]:
        case "png":
            options["compress_level"] = effort
        case "webp":
            options["method"] = effort
        case "avif":
            options["speed"] = _SLOWEST_AVIF - effort
    return options


if __name__ == "__main__":
    told = order()
    tell(clock(lambda: work(told), told["repeats"]))
