"""The whole corpus as files, for tests that want one of everything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

from pixtools.testing.images import with_orientation
from pixtools.testing.images_colour import (
    SPACES,
    Marker,
    cmyk_jpeg,
    grey_chart,
    tagged_chart,
)
from pixtools.testing.images_formats import (
    AVIFS,
    GIFS,
    JPEGS,
    PNGS,
    TIFFS,
    WEBPS,
    write_heics,
)
from pixtools.testing.images_metadata import DOCUMENTED_FORMATS, documented_photo

__all__ = ["all_sources", "heic_at_hand"]

_FAMILIES: Mapping[str, Mapping[str, Callable[[], bytes]]] = {
    "jpg": JPEGS,
    "png": PNGS,
    "webp": WEBPS,
    "avif": AVIFS,
    "gif": GIFS,
    "tif": TIFFS,
}


def all_sources(directory: Path) -> dict[str, Path]:
    """Write one small file of every kind that PixTools reads; returns paths by name.

    Names are `<suffix>-<what>`: the files of `images_formats` ("png-16-bit-rgb"),
    charts by orientation ("jpg-orientation-6"), by colour space ("png-display-p3",
    "jpg-grey", "jpg-adobe-ycck") and photographs with metadata ("tif-documented").
    HEIC files are there where pillow-heif is installed.
    """
    return {
        **_plain(directory),
        **_turned(directory),
        **_coloured(directory),
        **_documented(directory),
        **_heics(directory),
    }


def heic_at_hand() -> bool:
    """Tell whether HEIC files can be made here."""
    return find_spec("pillow_heif") is not None


def _plain(directory: Path) -> dict[str, Path]:
    paths = {}
    for suffix, makes in _FAMILIES.items():
        for what, make in makes.items():
            paths[f"{suffix}-{what}"] = directory / f"{suffix}-{what}.{suffix}"
            paths[f"{suffix}-{what}"].write_bytes(make())
    return paths


def _turned(directory: Path) -> dict[str, Path]:
    suffixes = [
        "jpg",
        "png",
        "webp",
        "tif",
        "avif",
        *(["heic"] if heic_at_hand() else []),
    ]
    return {
        f"{suffix}-orientation-{number}": with_orientation(
            directory / f"{suffix}-orientation-{number}.{suffix}", number
        )
        for suffix in suffixes
        for number in range(1, 9)
    }


def _coloured(directory: Path) -> dict[str, Path]:
    paths = {
        f"{suffix}-{space}": tagged_chart(
            directory / f"{suffix}-{space}.{suffix}", space
        )
        for suffix in ("jpg", "png", "webp", "tif", "avif")
        for space in SPACES
    }
    for suffix in ("jpg", "png", "tif"):
        path = directory / f"{suffix}-grey-profile.{suffix}"
        paths[f"{suffix}-grey-profile"] = grey_chart(path)
    for marker in get_args(Marker):
        for icc in (True, False):
            name = f"jpg-cmyk-{marker}" + ("" if icc else "-untagged")
            paths[name] = cmyk_jpeg(directory / f"{name}.jpg", marker, icc=icc)
    return paths


def _documented(directory: Path) -> dict[str, Path]:
    return {
        f"{suffix}-documented": documented_photo(directory / f"documented.{suffix}")
        for suffix in DOCUMENTED_FORMATS
        if suffix != "heic" or heic_at_hand()
    }


def _heics(directory: Path) -> dict[str, Path]:
    if not heic_at_hand():
        return {}
    return {f"heic-{what}": path for what, path in write_heics(directory).items()}
