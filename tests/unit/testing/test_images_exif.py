from __future__ import annotations

import io
from pathlib import Path
from typing import Literal

import exifread
import pytest
from exifread.utils import get_gps_coords
from PIL import Image

from pixtools.testing.images import photo_jpeg
from pixtools.testing.images_exif import (
    SAMPLE_SHOT,
    broken_exif_blobs,
    exif_blob,
    iptc_blob,
    xmp_blob,
)

EXPECTED = {
    "Image Make": "Pixmaker",
    "Image Model": "P-1000",
    "Image Software": "PixTools test camera 1.0",
    "Image Copyright": "(c) 2025 Test Photographer",
    "EXIF LensModel": "Pixmaker 50mm f/1.8",
    "EXIF DateTimeOriginal": "2025:06:07 08:09:10",
    "EXIF OffsetTimeOriginal": "+02:00",
    "EXIF ExposureTime": "1/250",
    "EXIF FNumber": "14/5",
    "EXIF ISOSpeedRatings": "400",
    "EXIF FocalLength": "50",
}


@pytest.mark.parametrize("order", ["<", ">"])
def test_exifread_finds_every_fact(tmp_path: Path, order: Literal["<", ">"]) -> None:
    blob = exif_blob(order=order, **SAMPLE_SHOT)
    path = photo_jpeg(tmp_path / "shot.jpg", 32, 24, exif=blob)
    with path.open("rb") as file:
        tags = exifread.process_file(file)
    assert {name: str(tags[name]) for name in EXPECTED} == EXPECTED
    assert get_gps_coords(tags) == pytest.approx((-33.856784, -70.648264), abs=1e-7)


def test_pillow_finds_gps_north_and_east_below_the_sea() -> None:
    exif = Image.Exif()
    exif.load(exif_blob(gps=(52.5, 4.999999999, -3.2)))
    gps = exif.get_ifd(0x8825)
    assert (gps[1], gps[3], gps[5]) == ("N", "E", b"\1")
    assert gps[2] == (52, 30, 0)
    assert gps[4] == (5, 0, 0)
    assert float(gps[6]) == pytest.approx(3.2)


def test_a_thumbnail_is_found_where_the_second_directory_says(tmp_path: Path) -> None:
    small = photo_jpeg(tmp_path / "small.jpg", 16, 12).read_bytes()
    blob = exif_blob(thumbnail=small, make="Pixmaker")
    tags = exifread.process_file(io.BytesIO(blob))
    assert tags["JPEGThumbnail"] == small


def test_every_broken_blob_is_a_different_one() -> None:
    blobs = broken_exif_blobs()
    assert len(set(blobs.values())) == len(blobs)
    assert all(
        b"Pixmaker" in blob for name, blob in blobs.items() if name != "only_a_header"
    )


def test_a_loop_points_back_at_the_first_directory() -> None:
    blobs = broken_exif_blobs()
    entries = int.from_bytes(blobs["next_directory_loop"][8:10], "little")
    following = blobs["next_directory_loop"][10 + 12 * entries :][:4]
    assert following == b"\x08\0\0\0"
    exif = Image.Exif()
    exif.load(blobs["sub_directory_loop"])
    assert exif[0x8769] == 8


def test_pillow_reads_the_xmp_and_iptc_that_are_made(tmp_path: Path) -> None:
    path = tmp_path / "words.jpg"
    Image.new("RGB", (8, 8)).save(path, xmp=xmp_blob(title="Hello", rating=3))
    with Image.open(path) as image:
        assert image.info["xmp"] == xmp_blob(title="Hello", rating=3)
    assert iptc_blob(city="Pixelstad").count(b"\x1c\x02") == 4
