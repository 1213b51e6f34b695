"""A watermark ready to be laid on pixels: small, sRGB with alpha, in memory."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from pathlib import Path
from typing import Final

import pyvips

from pixtools.domain.errors import SourceError, WatermarkUnusable
from pixtools.domain.limits import Limits
from pixtools.domain.plan import Colour, Mark
from pixtools.engine.header import open_header, probe
from pixtools.engine.ops.colour import to_rgb, to_standard
from pixtools.engine.ops.lettering import letter
from pixtools.engine.vips import TROUBLE

_LARGEST_ASSET: Final = 16_000_000
"""Pixels of a watermark image; a logo has a thousandth of it."""
_EDGE: Final = 0.05
"""Softness of the edge around letters, as a share of their size."""
_EDGE_STRENGTH: Final = 1.1


def stamp_for(
    mark: Mark, width: int, height: int, assets: Mapping[str, Path]
) -> pyvips.Image:
    """Make the stamp of a mark for a picture of `width` × `height` pixels.

    It is `mark.size` of the picture's width and never taller than the picture. Raises
    WatermarkUnusable.
    """
    wanted = max(1, round(mark.size * width))
    if mark.text is not None:
        stamp = _text_stamp(mark.text, mark.colour, wanted, height)
    else:
        stamp = _image_stamp(mark.image or "", wanted, height, assets)
    alpha = (stamp[3] * mark.opacity).rint().cast("uchar")
    faded = stamp[0:3].bandjoin(alpha).copy(interpretation="srgb")
    return faded.copy_memory()


def _text_stamp(text: str, colour: Colour, width: int, height: int) -> pyvips.Image:
    """Letters with a soft edge of the contrary lightness, legible on any ground."""
    pad = _edge_width(width, height)
    mask, size = letter(text, max(1, width - 2 * pad), max(1, height - 2 * pad))
    mask = mask.embed(pad, pad, mask.width + 2 * pad, mask.height + 2 * pad)
    letters = _inked(mask * (colour[3] / 255), colour)
    if not pad:
        return letters
    blurred = mask.gaussblur(max(0.4, size * _EDGE), precision="approximate")
    dark = _lightness(colour) > 0.5
    shade: Colour = (0, 0, 0, 255) if dark else (255, 255, 255, 255)
    edge = _inked(blurred * (_EDGE_STRENGTH * 0.5 * colour[3] / 255), shade)
    return edge.composite2(letters, "over")


def _edge_width(width: int, height: int) -> int:
    """Room for the edge; none where a mark is too small to be read anyway."""
    shorter = min(width, height)
    return 0 if shorter < 16 else ceil(shorter * 0.01) + 1


def _inked(mask: pyvips.Image, colour: Colour) -> pyvips.Image:
    """One colour, as dense as the mask."""
    alpha = mask.rint().cast("uchar")
    flat = alpha.new_from_image(list(colour[:3]))
    return flat.bandjoin(alpha).copy(interpretation="srgb")


def _lightness(colour: Colour) -> float:
    """Luma of a colour, 0 to 1 (ITU-R BT.709 weights)."""
    red, green, blue = colour[:3]
    return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255


def _image_stamp(
    name: str, width: int, height: int, assets: Mapping[str, Path]
) -> pyvips.Image:
    path = assets.get(name)
    if path is None:
        raise WatermarkUnusable(f"There is no watermark image named {name!r}.")
    try:
        picture = _opened(path)
        shrunk = picture.thumbnail_image(width, height=height)
        return _with_alpha(to_rgb(shrunk)).copy_memory()
    except SourceError as error:
        raise WatermarkUnusable(f"The watermark image: {error.detail}") from error
    except TROUBLE as error:
        raise WatermarkUnusable("The watermark image is broken.") from error


def _opened(path: Path) -> pyvips.Image:
    """The first frame of an asset, in memory, upright, in standard colours."""
    try:
        facts = probe(path, Limits(max_pixels=_LARGEST_ASSET))
    except OSError as error:
        raise WatermarkUnusable("The watermark image can't be read.") from error
    header = open_header(path, facts.format)
    if facts.format == "heic":
        from pixtools.engine.heic import decode_heic

        header = decode_heic(path, header)
    return to_standard(header.copy_memory().autorot(), deep=False)


def _with_alpha(image: pyvips.Image) -> pyvips.Image:
    return image if image.hasalpha() else image.addalpha()
