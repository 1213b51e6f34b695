"""The formats that PixTools knows: the one registry of their properties."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

OutputFormat = Literal["jpg", "png", "webp", "avif", "gif", "tiff"]
"""Names as clients write them (`jpeg` and `tif` are accepted as aliases)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """What is true of one image format, as PixTools writes or reads it.

    `max_side` is in pixels. Qualities and efforts are defaults; an `effort`
    range of None means that the encoder has no such dial.
    """

    name: str
    title: str
    content_type: str
    extension: str
    max_side: int
    alpha: bool = False
    animation: bool = False
    lossy: bool = False
    lossless: bool = False
    writable: bool = True
    quality: int | None = None
    effort: int | None = None
    effort_range: tuple[int, int] | None = None


FORMATS: Final[dict[str, Format]] = {
    f.name: f
    for f in (
        Format(
            name="jpg",
            title="JPEG",
            content_type="image/jpeg",
            extension="jpg",
            max_side=65_535,
            lossy=True,
            quality=80,
        ),
        Format(
            name="png",
            title="PNG",
            content_type="image/png",
            extension="png",
            max_side=2**31 - 1,
            alpha=True,
            lossless=True,
            effort=3,
            effort_range=(0, 9),
        ),
        Format(
            name="webp",
            title="WebP",
            content_type="image/webp",
            extension="webp",
            max_side=16_383,
            alpha=True,
            animation=True,
            lossy=True,
            lossless=True,
            quality=80,
            effort=2,
            effort_range=(0, 6),
        ),
        Format(
            name="avif",
            title="AVIF",
            content_type="image/avif",
            extension="avif",
            max_side=16_384,
            alpha=True,
            lossy=True,
            lossless=True,
            quality=63,
            effort=1,
            effort_range=(0, 9),
        ),
        Format(
            name="gif",
            title="GIF",
            content_type="image/gif",
            extension="gif",
            max_side=65_535,
            alpha=True,
            animation=True,
            effort=4,
            effort_range=(1, 10),
        ),
        Format(
            name="tiff",
            title="TIFF",
            content_type="image/tiff",
            extension="tif",
            max_side=2**31 - 1,
            alpha=True,
            lossless=True,
        ),
        Format(
            name="heic",
            title="HEIC",
            content_type="image/heic",
            extension="heic",
            max_side=16_384,
            alpha=True,
            lossy=True,
            writable=False,
        ),
    )
}

ALIASES: Final[dict[str, str]] = {"jpeg": "jpg", "tif": "tiff", "heif": "heic"}
WRITABLE: Final[tuple[str, ...]] = get_args(OutputFormat)


def format_named(name: str) -> Format:
    """Look a format up by name or alias; raises KeyError for an unknown one."""
    lowered = name.lower()
    return FORMATS[ALIASES.get(lowered, lowered)]


def canonical_name(name: object) -> object:
    """Fold aliases and case; anything that is no known name passes unchanged."""
    if not isinstance(name, str):
        return name
    lowered = name.lower()
    return ALIASES.get(lowered, lowered)
