"""Pictures that scanners, laboratories and presses make are read as well."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import pyvips
from tests.plans import made, output, plan

from pixtools.domain.errors import CorruptImage, SourceError, UnsupportedFormat
from pixtools.engine import probe, render
from pixtools.engine.abilities import abilities
from pixtools.engine.icc import profile_name
from pixtools.testing.compare import pixels_of
from pixtools.testing.corpus import heic_at_hand
from pixtools.testing.images_damage import truncated
from pixtools.testing.images_formats import small_photo
from pixtools.testing.images_icc import DISPLAY_P3, rgb_profile


def colour() -> pyvips.Image:
    return pyvips.Image.new_from_array(small_photo()).copy(interpretation="srgb")


def grey() -> pyvips.Image:
    return colour().colourspace("b-w")


ODD = {
    "fractions of light": lambda: colour().colourspace("scrgb"),
    "fractions of white": lambda: (
        (grey() / 255).cast("float").copy(interpretation="b-w")
    ),
    "lab": lambda: colour().colourspace("lab"),
    "lab of 16 bits": lambda: colour().colourspace("labs"),
    "32-bit integers": lambda: (grey().cast("uint") * 0x01010101).cast("uint"),
    "white is zero": grey,
}


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_tiff_shows_its_picture(tmp_path: Path, kind: str) -> None:
    source = tmp_path / "odd.tif"
    ODD[kind]().tiffsave(str(source), miniswhite=kind == "white is zero")
    for format in ("jpg", "webp"):
        _, file = made(source, tmp_path, format, quality=98)
        pixels = pixels_of(file)
        if grey_source(kind):
            shown = pixels if pixels.ndim == 2 else pixels[..., 0]
            expected = grey().numpy().squeeze()
        else:
            shown, expected = pixels, small_photo()
        assert np.abs(shown.astype(int) - expected).mean() < 8, format


def grey_source(kind: str) -> bool:
    return kind in ("fractions of white", "32-bit integers", "white is zero")


def test_more_bands_than_colours_are_left_out(tmp_path: Path) -> None:
    source = tmp_path / "bands.tif"
    colour().bandjoin([255, 1, 2, 3]).tiffsave(str(source))
    _, file = made(source, tmp_path, "jpg", quality=98)
    assert pixels_of(file).shape == (80, 120, 3)


def test_what_libvips_can_t_read_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "double.tif"
    (grey() / 255).cast("double").tiffsave(str(source))
    with pytest.raises(CorruptImage):
        render(source, plan(output("jpg")), tmp_path)


def test_a_container_of_something_else_is_refused(tmp_path: Path) -> None:
    """The brand promises AVIF, the boxes hold nothing that can be decoded."""
    source = tmp_path / "odd.avif"
    source.write_bytes(b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + bytes(64))
    with pytest.raises(SourceError):
        probe(source)


@pytest.mark.skipif(not heic_at_hand(), reason="HEIC needs pixtools[heic]")
def test_a_cut_heic_is_called_so(sources: dict[str, Path], tmp_path: Path) -> None:
    raw = sources["heic-8-bit"].read_bytes()
    for left in (0.3, 0.6, 0.95):
        source = tmp_path / "cut.heic"
        source.write_bytes(truncated(raw, left))
        with pytest.raises(SourceError) as caught:
            render(source, plan(output("jpg")), tmp_path)
        assert caught.value.code in ("truncated_image", "corrupt_image")


@pytest.mark.skipif(not heic_at_hand(), reason="HEIC needs pixtools[heic]")
def test_a_broken_heic_is_called_so(sources: dict[str, Path], tmp_path: Path) -> None:
    raw = bytearray(sources["heic-8-bit"].read_bytes())
    raw[-600:-300] = bytes(300)
    source = tmp_path / "broken.heic"
    source.write_bytes(raw)
    try:
        report = render(source, plan(output("jpg")), tmp_path)
    except (CorruptImage, UnsupportedFormat):
        return
    assert report.outputs


def test_a_profile_s_name_is_read_in_both_versions() -> None:
    assert profile_name(rgb_profile(DISPLAY_P3)) == "Display P3"
    name = "Écran".encode("utf-16-be")
    text = (
        b"mluc"
        + bytes(4)
        + struct.pack(">II2s2sII", 1, 12, b"fr", b"FR", len(name), 28)
    )
    tag = struct.pack(">4sII", b"desc", 144, len(text) + len(name))
    assert (
        profile_name(bytes(128) + struct.pack(">I", 1) + tag + text + name) == "Écran"
    )


@pytest.mark.parametrize("blob", [b"", b"x" * 99, bytes(4000), b"\xff" * 4000])
def test_a_profile_without_a_name_has_none(blob: bytes) -> None:
    assert profile_name(blob) is None


def test_the_engine_knows_what_it_can() -> None:
    can = abilities()
    assert {"jpg", "png", "webp", "avif", "tiff", "gif"} <= set(can.readable)
    assert can.writable == ("jpg", "png", "webp", "avif", "gif", "tiff")
    assert ("heic" in can.readable) is heic_at_hand()
