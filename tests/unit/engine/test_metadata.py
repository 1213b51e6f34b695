"""A source's facts, from every format that carries them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

from pixtools.engine.header import open_header, probe
from pixtools.engine.metadata import read_metadata
from pixtools.testing.images import photo_jpeg, with_orientation
from pixtools.testing.images_exif import SAMPLE_FACTS, SAMPLE_SHOT, exif_blob
from pixtools.testing.images_metadata import (
    DOCUMENTED_FORMATS,
    documented_photo,
    photo_with_exif,
)

SHOT = {**SAMPLE_FACTS, "focal_length": "50mm"}


@pytest.mark.parametrize("suffix", DOCUMENTED_FORMATS)
def test_each_format_tells_its_shot_and_its_header(tmp_path: Path, suffix: str) -> None:
    path = documented_photo(tmp_path / f"photo.{suffix}")
    facts = probe(path)
    told = read_metadata(path, facts, open_header(path, facts.format))
    header = {
        "width": 160,
        "height": 120,
        "format": {"tif": "tiff"}.get(suffix, suffix),
        "has_alpha": False,
        "color_space": "srgb",
        "bits": 8,
    }
    assert told == SHOT | header


def test_another_reader_agrees(tmp_path: Path) -> None:
    """Pillow, where it reads the same tag, reads the same value."""
    path = documented_photo(tmp_path / "photo.jpg")
    told = read_metadata(path, probe(path))
    with Image.open(path) as image:
        shot = image.getexif().get_ifd(ExifTags.IFD.Exif)
    assert told["lens_model"] == shot[ExifTags.Base.LensModel]
    assert told["iso"] == shot[ExifTags.Base.ISOSpeedRatings]
    assert told["aperture"] == f"f/{float(shot[ExifTags.Base.FNumber]):g}"


def test_size_is_as_a_viewer_sees_it_and_orientation_as_it_is_stored(
    tmp_path: Path,
) -> None:
    path = with_orientation(tmp_path / "turned.jpg", 6)
    told = read_metadata(path, probe(path))
    assert (told["width"], told["height"], told["orientation"]) == (160, 112, 6)


def test_a_picture_without_exif_tells_its_header_only(tmp_path: Path) -> None:
    path = photo_jpeg(tmp_path / "plain.jpg", 32, 24)
    assert set(read_metadata(path, probe(path))) == {
        "width",
        "height",
        "format",
        "has_alpha",
        "color_space",
        "bits",
    }


def test_a_profile_is_named(tmp_path: Path) -> None:
    path = photo_jpeg(tmp_path / "photo.jpg", 32, 24)
    facts = replace(probe(path), icc_profile="Display P3")
    assert read_metadata(path, facts)["icc_profile"] == "Display P3"


@pytest.mark.parametrize("kind", ["exif", "APP1"])
def test_exif_that_an_old_tool_wrote_as_text_into_a_png_is_read(
    tmp_path: Path, kind: str
) -> None:
    blob = b"Exif\0\0" + exif_blob(**SAMPLE_SHOT)
    lines = "\n".join(blob.hex()[at : at + 72] for at in range(0, 2 * len(blob), 72))
    words = PngInfo()
    words.add_text(f"Raw profile type {kind}", f"\nexif\n{len(blob):8}\n{lines}\n")
    path = tmp_path / "old.png"
    Image.new("RGB", (8, 8)).save(path, pnginfo=words)
    assert SHOT.items() <= read_metadata(path, probe(path)).items()


def test_text_in_a_png_that_only_looks_like_exif_is_none(tmp_path: Path) -> None:
    words = PngInfo()
    words.add_text("Raw profile type exif", "\nexif\n 4\nnot hexadecimal\n")
    path = tmp_path / "odd.png"
    Image.new("RGB", (8, 8)).save(path, pnginfo=words)
    assert "camera_make" not in read_metadata(path, probe(path))


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "heic"])
def test_wrong_exif_never_fails_a_picture(tmp_path: Path, suffix: str) -> None:
    blob = exif_blob(make="Pixmaker", gps=(912.5, 1234.0, None))
    path = photo_with_exif(tmp_path / f"photo.{suffix}", blob)
    told = read_metadata(path, probe(path))
    assert told["camera_make"] == "Pixmaker"
    assert "gps" not in told
