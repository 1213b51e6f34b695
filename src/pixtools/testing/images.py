"""Photographs and charts made by code: the pictures that most tests need.

Provenance: everything is drawn here from seeded random numbers and the font that
Pillow carries; nothing comes from a camera or another project.
"""

from __future__ import annotations

from pathlib import Path

from pixtools.testing.images_exif import exif_blob
from pixtools.testing.images_photo import photo
from pixtools.testing.libraries import Image, ImageDraw, Pixels, np, save_heic

__all__ = [
    "CHART_COLOURS",
    "CHART_SIZE",
    "orientation_chart",
    "photo",
    "photo_jpeg",
    "with_orientation",
]

CHART_SIZE = (160, 112)
"""Width and height in pixels of the upright chart."""

CHART_COLOURS = {
    "top_left": (220, 30, 30),
    "top_right": (30, 180, 30),
    "bottom_left": (30, 60, 220),
    "bottom_right": (230, 200, 20),
}
"""The colour of each corner of the upright chart, as sRGB."""

_STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def photo_jpeg(
    path: Path,
    width: int,
    height: int,
    *,
    seed: int = 0,
    quality: int = 90,
    progressive: bool = False,
    subsampling: str = "4:2:0",
    exif: bytes | None = None,
    icc: bytes | None = None,
) -> Path:
    """Write `photo(width, height, seed)` as a JPEG and return its path.

    `subsampling` is "4:4:4", "4:2:2" or "4:2:0"; `exif` is a TIFF structure as from
    `exif_blob`; `icc` a profile as from `images_icc`.
    """
    Image.fromarray(photo(width, height, seed)).save(
        path,
        "JPEG",
        quality=quality,
        progressive=progressive,
        subsampling=subsampling,
        exif=b"" if exif is None else b"Exif\0\0" + exif,
        icc_profile=icc,
    )
    return path


def orientation_chart() -> Pixels:
    """Draw the upright chart: four coloured corners and a letter F, 160 x 112 RGB.

    No flip or turn of it looks like another, so one look tells an orientation.
    """
    width, height = CHART_SIZE
    chart = Image.new("RGB", CHART_SIZE, (200, 200, 200))
    draw = ImageDraw.Draw(chart)
    for corner, colour in CHART_COLOURS.items():
        x = 0 if corner.endswith("left") else width - 32
        y = 0 if corner.startswith("top") else height - 32
        draw.rectangle((x, y, x + 31, y + 31), fill=colour)
    for bar in ((64, 24, 75, 87), (64, 24, 103, 35), (64, 48, 95, 59)):
        draw.rectangle(bar, fill=(0, 0, 0))
    return np.asarray(chart)


def with_orientation(path: Path, orientation: int) -> Path:
    """Write the chart stored turned, tagged so that it shows upright.

    The suffix of `path` chooses the format: jpg, png, webp, tif, avif or heic (which
    needs pillow-heif). AVIF and HEIC carry the turn in their irot and imir boxes, and
    HEIC's EXIF names it again, as phones write it: it must be applied once. A correct
    reader shows `orientation_chart()` for all eight values; png, webp and tif exactly.
    """
    stored = Image.fromarray(orientation_chart())
    turn = _STORED[orientation]
    if turn is not None:
        stored = stored.transpose(turn)
    blob = exif_blob(orientation=orientation)
    if path.suffix in {".tif", ".tiff"}:
        stored.save(path, "TIFF", tiffinfo={0x0112: orientation})
    elif path.suffix in {".jpg", ".jpeg"}:
        stored.save(path, "JPEG", quality=95, subsampling=0, exif=b"Exif\0\0" + blob)
    elif path.suffix == ".webp":
        stored.save(path, "WEBP", lossless=True, exif=blob)
    elif path.suffix == ".heic":
        save_heic(stored, path, exif=blob)
    else:
        stored.save(path, exif=blob)
    return path
