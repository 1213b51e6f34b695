"""Outputs carry none of the source's metadata unless asked, then what was asked."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import ExifTags, Image
from tests.plans import made

from pixtools.engine import probe
from pixtools.engine.exif import Exif, Value, exif_in_blob
from pixtools.engine.metadata import read_metadata
from pixtools.testing.corpus import heic_at_hand
from pixtools.testing.images import photo_jpeg
from pixtools.testing.images_exif import SAMPLE_SHOT, exif_blob
from pixtools.testing.images_icc import DISPLAY_P3, rgb_profile
from pixtools.testing.images_metadata import documented_photo, photo_with_exif

SUFFIXES = ["jpg", "png", "webp", "avif", "tif", *(["heic"] if heic_at_hand() else [])]
FORMATS = ["jpg", "png", "webp", "avif", "tiff", "gif"]
CARRIERS = ["jpg", "png", "webp", "avif"]
ARTIST, COPYRIGHT = 0x013B, 0x8298
SECRETS = (b"Pixmaker", b"Test Photographer", b"GPS", b"Display P3", b"A test picture")


def exif_of(path: Path) -> Exif:
    with Image.open(path) as image:
        return exif_in_blob(image.info.get("exif", b""))


def thumbnail_in(path: Path) -> dict[int, Any]:
    with Image.open(path) as image:
        return image.getexif().get_ifd(ExifTags.IFD.IFD1)


def text(value: Value) -> str:
    assert isinstance(value, bytes)
    return value.rstrip(b"\0").decode()


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_nothing_is_carried_unless_asked(
    tmp_path: Path, suffix: str, format: str
) -> None:
    profile = rgb_profile(DISPLAY_P3)
    source = documented_photo(tmp_path / f"source.{suffix}", icc=profile)
    _, file = made(source, tmp_path, format)
    raw = file.read_bytes()
    assert not [secret for secret in SECRETS if secret in raw]
    with Image.open(file) as image:
        told = {"exif", "xmp", "icc_profile", "photoshop", "XML:com.adobe.xmp"}
        assert not told & set(image.info)


@pytest.mark.parametrize("format", CARRIERS)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_copyright_is_carried_alone(tmp_path: Path, suffix: str, format: str) -> None:
    shot = {**SAMPLE_SHOT, "artist": "Jürgen (Studio X)".encode()}
    source = documented_photo(tmp_path / f"source.{suffix}", shot)  # type: ignore[arg-type]  # a Shot
    _, file = made(source, tmp_path, format, keep_metadata="copyright", width=40)
    exif = exif_of(file)
    assert text(exif.main[COPYRIGHT]) == SAMPLE_SHOT["copyright"]
    assert text(exif.main[ARTIST]) == "Jürgen (Studio X)"
    assert exif.gps == {}
    raw = file.read_bytes()
    assert not [s for s in SECRETS if s != b"Test Photographer" and s in raw]


@pytest.mark.parametrize("format", CARRIERS)
def test_a_source_without_copyright_gets_no_exif(tmp_path: Path, format: str) -> None:
    blob = exif_blob(make="Pixmaker", gps=(1.0, 2.0, None))
    source = photo_with_exif(tmp_path / "source.jpg", blob)
    _, file = made(source, tmp_path, format, keep_metadata="copyright")
    with Image.open(file) as image:
        assert not image.info.get("exif")


@pytest.mark.parametrize("format", CARRIERS)
@pytest.mark.parametrize("suffix", [s for s in SUFFIXES if s != "tif"])
def test_all_that_a_camera_wrote_is_carried(
    tmp_path: Path, suffix: str, format: str
) -> None:
    source = documented_photo(tmp_path / f"source.{suffix}")
    facts, file = made(source, tmp_path, format, keep_metadata="all", width=40)
    before = read_metadata(source, probe(source))
    after = read_metadata(file, probe(file))
    about_the_file = {"width", "height", "format", "orientation"}
    for name in before.keys() - about_the_file:
        assert after[name] == before[name], name
    with Image.open(file) as image:
        shot = image.getexif().get_ifd(ExifTags.IFD.Exif)
        assert (shot[0xA002], shot[0xA003]) == (facts.width, facts.height)
        packet = image.info.get("xmp") or image.info["XML:com.adobe.xmp"].encode()
        assert b"A test picture" in packet


def test_iptc_is_carried_into_a_jpeg(tmp_path: Path) -> None:
    source = documented_photo(tmp_path / "source.jpg")
    _, file = made(source, tmp_path, "jpg", keep_metadata="all")
    assert b"Pixelstad" in file.read_bytes()


def test_a_thumbnail_of_the_source_is_never_carried(tmp_path: Path) -> None:
    with io.BytesIO() as small:
        Image.new("RGB", (32, 24), (255, 0, 0)).save(small, "JPEG")
        blob = exif_blob(make="Pixmaker", thumbnail=small.getvalue())
    source = photo_with_exif(tmp_path / "source.jpg", blob)
    assert thumbnail_in(source)
    for format in ("jpg", "webp"):
        _, file = made(source, tmp_path, format, keep_metadata="all", width=20)
        assert not thumbnail_in(file)
        assert text(exif_of(file).main[0x010F]) == "Pixmaker"


def test_an_orientation_said_in_xmp_is_reset_too(tmp_path: Path) -> None:
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
        b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/>'
        b"</rdf:RDF></x:xmpmeta>"
    )
    source = photo_jpeg(tmp_path / "plain.jpg", 60, 40, exif=exif_blob(orientation=6))
    turned = tmp_path / "turned.jpg"
    with Image.open(source) as image:
        image.save(turned, xmp=packet, exif=image.getexif())
    _, file = made(turned, tmp_path, "jpg", keep_metadata="all")
    assert b'tiff:Orientation="1"' in file.read_bytes()
    with Image.open(file) as image:
        assert image.size == (40, 60)
        assert image.getexif()[0x0112] == 1


@pytest.mark.parametrize("keep", ["none", "copyright", "all"])
def test_broken_exif_stops_no_output(tmp_path: Path, keep: str) -> None:
    from pixtools.testing.images_exif import broken_exif_blobs

    for name, blob in broken_exif_blobs().items():
        source = photo_with_exif(tmp_path / f"{name}.jpg", blob)
        _, file = made(source, tmp_path, "jpg", keep_metadata=keep)
        with Image.open(file) as image:
            image.load()
