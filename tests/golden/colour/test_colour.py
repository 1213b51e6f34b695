"""Colours come out as sRGB, whatever the file stored and however it was said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.golden.golden import Golden
from tests.plans import made, output, plan

from pixtools.domain.plan import Colour
from pixtools.engine import render
from pixtools.testing.compare import pixels_of
from pixtools.testing.corpus import heic_at_hand
from pixtools.testing.images_colour import (
    CHART,
    CMYK_CHART,
    GREY_CHART,
    SPACES,
    Marker,
    chart,
    chart_16_bit,
    cmyk_jpeg,
    grey_chart,
    patches,
    tagged_chart,
)
from pixtools.testing.images_formats import (
    TIFFS,
    avif_10_bit,
    disc,
    heic_10_bit,
)
from pixtools.testing.images_icc import DISPLAY_P3, rgb_profile
from pixtools.testing.libraries import Pixels
from pixtools.testing.png_structure import png_chunk, png_file


def off(pixels: Pixels, expected: object) -> float:
    """The largest distance of a patch from the colour that it should have."""
    return float(np.abs(patches(pixels) - np.array(expected)).max())


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "avif"])
@pytest.mark.parametrize("space", SPACES)
def test_an_embedded_profile_is_obeyed(tmp_path: Path, space: str, suffix: str) -> None:
    source = tagged_chart(tmp_path / f"chart.{suffix}", space)
    _, file = made(source, tmp_path)
    assert off(pixels_of(file), CHART) <= (3 if suffix in ("png", "webp", "tif") else 6)


@pytest.mark.parametrize("format", ["jpg", "png", "webp", "avif", "tiff"])
def test_no_output_needs_a_profile(tmp_path: Path, format: str) -> None:
    source = tagged_chart(tmp_path / "chart.png", "display-p3")
    options = {"quality": 95} if format in ("jpg", "webp", "avif") else {}
    _, file = made(source, tmp_path, format, **options)
    assert off(pixels_of(file), CHART) <= 6
    with Image.open(file) as image:
        assert "icc_profile" not in image.info


def test_pixels_under_srgb_s_own_profile_are_left_alone(tmp_path: Path) -> None:
    source = tagged_chart(tmp_path / "chart.png", "srgb")
    _, file = made(source, tmp_path)
    assert np.array_equal(pixels_of(file), chart())


def test_a_profile_that_only_calls_itself_srgb_is_obeyed(tmp_path: Path) -> None:
    lying = rgb_profile(DISPLAY_P3).replace(b"Display P3", b"sRGB built")
    source = tmp_path / "chart.png"
    picture = Image.fromarray(chart(DISPLAY_P3))
    picture.save(source, icc_profile=lying)
    report = render(source, plan(output()), tmp_path)
    assert "sRGB" in str(report.source.icc_profile)
    assert off(pixels_of(tmp_path / report.outputs[0].file), CHART) <= 3


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
def test_a_grey_profile_is_obeyed_and_grey_stays_grey(
    tmp_path: Path, suffix: str
) -> None:
    source = grey_chart(tmp_path / f"grey.{suffix}")
    for format in ("png", "jpg", "tiff"):
        _, file = made(source, tmp_path, format)
        pixels = pixels_of(file)
        assert pixels.ndim == 2, format
        assert off(pixels, [[grey] for grey in GREY_CHART]) <= 2


@pytest.mark.parametrize("marker", ["none", "adobe-cmyk", "adobe-ycck"])
def test_a_cmyk_jpeg_prints_its_colours(tmp_path: Path, marker: Marker) -> None:
    """Perceptual intent moves the black point of the test press by a few levels."""
    source = cmyk_jpeg(tmp_path / "inks.jpg", marker)
    _, file = made(source, tmp_path)
    assert off(pixels_of(file), CMYK_CHART) <= 8


@pytest.mark.parametrize("marker", ["none", "adobe-cmyk", "adobe-ycck"])
def test_a_cmyk_jpeg_without_a_profile_has_plausible_colours(
    tmp_path: Path, marker: Marker
) -> None:
    source = cmyk_jpeg(tmp_path / "inks.jpg", marker, icc=False)
    _, file = made(source, tmp_path)
    white, cyan, magenta, yellow, black, red, green, blue = patches(pixels_of(file))
    assert white.min() > 250
    assert black.max() < 60
    assert cyan[0] < cyan[1:].min()
    assert magenta[1] < magenta[[0, 2]].min()
    assert yellow[2] < yellow[:2].min()
    assert red.argmax() == 0
    assert green.argmax() == 1
    assert blue.argmax() == 2


@pytest.mark.parametrize("blob", [b"garbage" * 99, b"", b"\0" * 128])
def test_a_broken_profile_is_read_as_srgb(tmp_path: Path, blob: bytes) -> None:
    source = tmp_path / "chart.jpg"
    Image.fromarray(chart()).save(source, icc_profile=blob, quality=98, subsampling=0)
    _, file = made(source, tmp_path)
    assert off(pixels_of(file), CHART) <= 3


def test_a_cmyk_picture_with_a_broken_profile_is_still_cmyk(tmp_path: Path) -> None:
    whole = cmyk_jpeg(tmp_path / "whole.jpg", "adobe-cmyk", icc=False)
    broken = tmp_path / "broken.jpg"
    with Image.open(whole) as image:
        image.save(broken, icc_profile=b"garbage" * 99, quality=98)
    _, expected = made(whole, tmp_path, "png")
    shown = patches(pixels_of(expected))
    _, file = made(broken, tmp_path, "png")
    assert np.abs(patches(pixels_of(file)) - shown).max() <= 4


@pytest.mark.parametrize("depth", ["png", "tif", "avif", "heic"])
def test_deep_colours_come_out_right_in_eight_bits(tmp_path: Path, depth: str) -> None:
    source = tmp_path / f"deep.{depth}"
    if depth == "heic":
        if not heic_at_hand():
            pytest.skip("HEIC needs pixtools[heic]")
        heic_10_bit(source)
    else:
        makers = {"png": lambda: png_file(chart_16_bit()), "avif": avif_10_bit}
        source.write_bytes(makers.get(depth, TIFFS["16-bit"])())
    for format in ("jpg", "webp"):
        _, file = made(source, tmp_path, format, quality=98)
        assert off(pixels_of(file), CHART) <= 4


@pytest.mark.parametrize("format", ["png", "tiff"])
def test_png_and_tiff_keep_sixteen_bits(tmp_path: Path, format: str) -> None:
    import pyvips

    ramp = np.linspace(0, 65535, 256 * 64 * 3, dtype="u2").reshape(64, 256, 3)
    source = tmp_path / "deep.png"
    source.write_bytes(png_file(ramp))
    _, file = made(source, tmp_path, format)
    kept = pyvips.Image.new_from_file(str(file)).numpy()
    assert kept.dtype == np.uint16
    assert np.array_equal(kept, ramp)


def test_sixteen_bits_and_a_profile_go_together(tmp_path: Path) -> None:
    import pyvips

    source = tmp_path / "deep.png"
    profile = rgb_profile(DISPLAY_P3)
    import zlib

    chunk = png_chunk(b"iCCP", b"p3\0\0" + zlib.compress(profile))
    source.write_bytes(png_file(chart_16_bit(DISPLAY_P3), chunks=[chunk]))
    _, file = made(source, tmp_path)
    kept = pyvips.Image.new_from_file(str(file)).numpy()
    assert np.abs(patches(kept) / 257 - CHART).max() <= 2


@pytest.mark.parametrize(
    ("background", "shown"),
    [
        ((255, 255, 255, 255), (255, 255, 255)),
        ((12, 140, 200, 255), (12, 140, 200)),
        ((0, 0, 0, 0), (255, 255, 255)),
        ((0, 0, 0, 128), (127, 127, 127)),
    ],
)
def test_transparent_pixels_lie_on_the_background(
    tmp_path: Path, background: Colour, shown: tuple[int, int, int]
) -> None:
    """A background that is itself transparent lies on white paper."""
    source = tmp_path / "disc.png"
    source.write_bytes(png_file(disc()))
    _, file = made(source, tmp_path, "jpg", quality=98, background=background)
    pixels = pixels_of(file)
    assert np.abs(pixels[2:8, 2:8].astype(int) - shown).max() <= 3
    assert np.abs(pixels[40, 60].astype(int) - (220, 30, 30)).max() <= 6


@pytest.mark.parametrize("format", ["jpg", "png", "webp", "avif", "gif", "tiff"])
def test_alpha_over_a_background_looks_as_accepted(
    tmp_path: Path, golden: Golden, format: str
) -> None:
    source = tmp_path / "disc.png"
    source.write_bytes(png_file(disc()))
    options = {"width": 90, "height": 90}
    _, file = made(
        source, tmp_path, format, fit="contain", background=(30, 60, 90, 128), **options
    )
    golden.close(pixels_of(file), decibels=32)


def test_padding_a_grey_picture_with_a_colour_shows_the_colour(tmp_path: Path) -> None:
    source = tmp_path / "grey.png"
    source.write_bytes(png_file(np.full((20, 40), 77, dtype="u1")))
    _, file = made(
        source,
        tmp_path,
        width=40,
        height=40,
        fit="contain",
        background=(9, 200, 7, 255),
    )
    pixels = pixels_of(file)
    assert tuple(pixels[0, 0]) == (9, 200, 7)
    assert tuple(pixels[20, 20]) == (77, 77, 77)


def test_padding_with_nothing_is_transparent(tmp_path: Path) -> None:
    source = tmp_path / "photo.png"
    source.write_bytes(png_file(np.full((20, 40, 3), 77, dtype="u1")))
    options = {"width": 40, "height": 40, "background": (0, 0, 0, 0)}
    for format in ("png", "webp", "tiff", "gif", "avif"):
        _, file = made(source, tmp_path, format, fit="contain", **options)
        pixels = pixels_of(file)
        assert pixels[0, 0, 3] == 0, format
        assert pixels[20, 20, 3] == 255, format
    _, file = made(source, tmp_path, "jpg", fit="contain", **options)
    assert pixels_of(file)[0, 0].min() > 250
