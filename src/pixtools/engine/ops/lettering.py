"""Text as a mask of its ink, in a font that PixTools brings along."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pyvips

from pixtools.domain.errors import WatermarkUnusable
from pixtools.engine.vips import TROUBLE

_FONTS: Final = Path(__file__).parents[1] / "fonts"
_FAMILY: Final = "DejaVu Sans"
_SAMPLE: Final = 64.0
_SMALLEST: Final = 6.0
"""Font sizes in pixels: to measure a text with, and below which letters are mush."""


def letter(text: str, width: int, height: int) -> tuple[pyvips.Image, float]:
    """Draw a text as wide as fits into `width` × `height` pixels.

    Gives a mask, 0 to 255, cut to the ink, and the size of its font in pixels. Any
    script of the font works, and those of the machine's fonts; a missing glyph is
    drawn as a box, markup as it stands. Line breaks break lines, other control
    characters are left out. Raises WatermarkUnusable where nothing is to be seen.
    """
    _find_fonts()
    markup = _plain(text)
    sample = _drawn(markup, _SAMPLE)
    fits = min(width / sample.width, height / sample.height)
    size = _SAMPLE * fits
    mask = _drawn(markup, max(size, _SMALLEST))
    over = min(width / mask.width, height / mask.height)
    if over < 1:
        mask = mask.thumbnail_image(
            max(1, round(mask.width * over)),
            height=max(1, round(mask.height * over)),
            size="force",
        )
    return mask.copy_memory(), size


def _plain(text: str) -> str:
    """The text as Pango markup that means nothing but the text."""
    lines = ["".join(filter(_is_sign, line)) for line in text.splitlines()]
    shown = "\n".join(line.strip() for line in lines).strip()
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _is_sign(sign: str) -> bool:
    """Whether it is neither a control character nor half of a surrogate pair."""
    code = ord(sign)
    control = code < 32 or 0x7F <= code < 0xA0
    return not control and not 0xD800 <= code < 0xE000


def _drawn(markup: str, size: float) -> pyvips.Image:
    try:
        mask = pyvips.Image.text(
            markup,
            font=f"{_FAMILY} {size:.3f}",
            fontfile=str(_FONTS / "DejaVuSans.ttf"),
            dpi=72,
            align="centre",
        )
        if mask.max() > 0:
            return mask
    except TROUBLE:
        pass
    raise WatermarkUnusable("Expected a text with something to see in it.")


def _find_fonts(machines: Path = Path("/etc/fonts/fonts.conf")) -> None:
    """Let fontconfig, which complains without a configuration, have ours."""
    if "FONTCONFIG_FILE" not in os.environ and not machines.exists():
        os.environ["FONTCONFIG_FILE"] = str(_FONTS / "fonts.conf")
