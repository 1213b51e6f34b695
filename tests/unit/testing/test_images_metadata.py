"""Pillow and libvips find what was put into each format."""

from __future__ import annotations

from pathlib import Path

import pytest
import pyvips
from PIL import Image, IptcImagePlugin

from pixtools.testing.images_exif import broken_exif_blobs, iptc_blob, xmp_blob
from pixtools.testing.images_icc import DISPLAY_P3, rgb_profile
from pixtools.testing.images_metadata import (
    DOCUMENTED_FORMATS,
    documented_photo,
    photo_with_exif,
)

EXIF, GPS = 0x8769, 0x8825


def reads_heic(suffix: str) -> None:
    if suffix == "heic":
        pytest.importorskip("pillow_heif").register_heif_opener()


@pytest.mark.parametrize("suffix", DOCUMENTED_FORMATS)
def test_every_format_carries_the_shot(tmp_path: Path, suffix: str) -> None:
    reads_heic(suffix)
    path = documented_photo(tmp_path / f"shot.{suffix}")
    with Image.open(path) as image:
        exif = image.getexif()
        camera, gps = exif.get_ifd(EXIF), exif.get_ifd(GPS)
    assert (exif[0x010F], exif[0x0110]) == ("Pixmaker", "P-1000")
    assert camera[0xA434] == "Pixmaker 50mm f/1.8"
    assert camera[0x9011] == "+02:00"
    assert (gps[1], gps[3]) == ("S", "W")
    assert tuple(map(float, gps[2])) == pytest.approx((33, 51, 24.4224))


@pytest.mark.parametrize("suffix", DOCUMENTED_FORMATS)
def test_every_format_carries_xmp_and_a_profile(tmp_path: Path, suffix: str) -> None:
    profile = rgb_profile(DISPLAY_P3)
    path = documented_photo(tmp_path / f"shot.{suffix}", icc=profile)
    picture = pyvips.Image.new_from_file(str(path))
    assert picture.get("xmp-data") == xmp_blob()
    assert picture.get("icc-profile-data") == profile


def test_jpeg_and_tiff_carry_iptc(tmp_path: Path) -> None:
    for suffix in ("jpg", "tif"):
        with Image.open(documented_photo(tmp_path / f"shot.{suffix}")) as image:
            records = IptcImagePlugin.getiptcinfo(image)
        assert records is not None
        assert records[2, 90] == b"Pixelstad"
    jpeg = pyvips.Image.new_from_file(str(tmp_path / "shot.jpg"))
    assert iptc_blob() in jpeg.get("iptc-data")


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "heic"])
@pytest.mark.parametrize("name", broken_exif_blobs())
def test_a_broken_blob_goes_in_as_it_is(tmp_path: Path, suffix: str, name: str) -> None:
    if suffix == "heic":
        pytest.importorskip("pillow_heif")
    blob = broken_exif_blobs()[name]
    stored = photo_with_exif(tmp_path / f"shot.{suffix}", blob).read_bytes()
    assert blob in stored
