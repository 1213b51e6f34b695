"""Put EXIF, XMP, IPTC and a profile into a photograph of any format."""

from __future__ import annotations

import io
from pathlib import Path

from pixtools.testing.images_exif import (
    SAMPLE_SHOT,
    Shot,
    exif_blob,
    exif_directory,
    iptc_blob,
    xmp_blob,
)
from pixtools.testing.images_photo import photo
from pixtools.testing.images_tiff import tiff_image
from pixtools.testing.jpeg_structure import with_iptc
from pixtools.testing.libraries import Image, Pixels, PngInfo, save_heic
from pixtools.testing.tiff_structure import Directory, octets, undefined

__all__ = ["DOCUMENTED_FORMATS", "documented_photo", "photo_with_exif"]

DOCUMENTED_FORMATS = ("jpg", "png", "webp", "avif", "heic", "tif")
"""Suffixes of the formats that can carry EXIF; heic needs pillow-heif."""


def documented_photo(
    path: Path,
    shot: Shot = SAMPLE_SHOT,
    *,
    icc: bytes | None = None,
    width: int = 160,
    height: int = 120,
) -> Path:
    """Write a small photograph that carries a shot's EXIF, XMP and, where the format
    has a place for it (jpg, tif), IPTC. The suffix chooses the format.
    """
    pixels = photo(width, height)
    if path.suffix in {".tif", ".tiff"}:
        path.write_bytes(_documented_tiff(pixels, shot, icc))
    else:
        _save(path, pixels, exif_blob(**shot), xmp_blob(), icc)
    if path.suffix == ".jpg":
        path.write_bytes(with_iptc(path.read_bytes(), iptc_blob()))
    return path


def photo_with_exif(path: Path, exif: bytes) -> Path:
    """Write a small photograph that carries an EXIF blob as it is, right or wrong.

    The suffix chooses the format: jpg, png, webp or heic. (Pillow's AVIF encoder would
    repair the blob.)
    """
    _save(path, photo(64, 48), exif, None, None)
    return path


def _save(
    path: Path, pixels: Pixels, exif: bytes, xmp: bytes | None, icc: bytes | None
) -> None:
    picture = Image.fromarray(pixels)
    marked = exif if path.suffix == ".png" else b"Exif\0\0" + exif
    if path.suffix == ".heic":
        save_heic(picture, path, exif=marked, xmp=xmp, icc_profile=icc)
        return
    words = PngInfo()
    if xmp is not None:
        words.add_itxt("XML:com.adobe.xmp", xmp.decode())
    file = io.BytesIO()
    picture.save(
        file,
        Image.registered_extensions()[path.suffix],
        exif=marked,
        xmp=xmp or b"",
        icc_profile=icc,
        pnginfo=words,
    )
    path.write_bytes(file.getvalue())


def _documented_tiff(pixels: Pixels, shot: Shot, icc: bytes | None) -> bytes:
    extra: Directory = {
        **exif_directory(**shot),
        0x02BC: octets(*xmp_blob()),
        0x83BB: undefined(iptc_blob()),
    }
    if icc is not None:
        extra[0x8773] = undefined(icc)
    return tiff_image([pixels], extra=extra)
