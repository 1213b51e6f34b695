"""Pillow and libvips agree on what is in each file."""

from __future__ import annotations

import io
import itertools
import zlib
from pathlib import Path

import numpy as np
import pytest
import pyvips
from PIL import Image, ImageSequence

from pixtools.testing.images_colour import CHART, chart_16_bit, patches
from pixtools.testing.images_formats import (
    AVIFS,
    DELAYS,
    GIFS,
    HEIGHT,
    JPEGS,
    PNGS,
    TIFFS,
    WEBPS,
    WIDTH,
    disc,
    frames,
    write_heics,
)
from pixtools.testing.images_photo import photo
from pixtools.testing.png_structure import zeros_deflated

FAMILIES = {
    "JPEG": JPEGS,
    "PNG": PNGS,
    "WEBP": WEBPS,
    "GIF": GIFS,
    "AVIF": AVIFS,
    "TIFF": TIFFS,
}
EVERY_FILE = [(kind, name) for kind, files in FAMILIES.items() for name in files]


def opened(raw: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(raw))
    image.load()
    return image


@pytest.mark.parametrize(("kind", "name"), EVERY_FILE)
def test_every_file_is_what_it_says_it_is(kind: str, name: str) -> None:
    raw = FAMILIES[kind][name]()
    with opened(raw) as image:
        assert image.format == kind
        assert image.size in {(WIDTH, HEIGHT), (128, 64)}
    assert np.isfinite(pyvips.Image.new_from_buffer(raw, "").avg())


@pytest.mark.parametrize(
    ("raw", "slack"),
    [
        (PNGS["16-bit-rgb"], 0),
        (TIFFS["16-bit"], 0),
        (TIFFS["16-bit-big-endian"], 0),
        (AVIFS["10-bit"], 500),
    ],
)
def test_deep_files_keep_their_depth(raw: object, slack: int) -> None:
    assert callable(raw)
    picture = pyvips.Image.new_from_buffer(raw(), "")
    assert picture.format == "ushort"
    error = np.abs(patches(picture.numpy()) - patches(chart_16_bit()))
    assert error.max() <= slack


@pytest.mark.parametrize("name", ["rgb", "interlaced"])
def test_pngs_hold_the_photo_exactly(name: str) -> None:
    with opened(PNGS[name]()) as image:
        assert np.array_equal(np.asarray(image), photo(WIDTH, HEIGHT))


@pytest.mark.parametrize("name", ["strips", "tiles", "deflate", "lzw", "big-endian"])
def test_tiffs_hold_the_photo_exactly(name: str) -> None:
    with opened(TIFFS[name]()) as image:
        assert np.array_equal(np.asarray(image), photo(WIDTH, HEIGHT))


def test_interlaced_pngs_say_so() -> None:
    with opened(PNGS["interlaced"]()) as image:
        assert image.info["interlace"] == 1


@pytest.mark.parametrize(
    ("raw", "mode"),
    [
        (JPEGS["grey"], "L"),
        (PNGS["1-bit"], "1"),
        (PNGS["grey-alpha"], "LA"),
        (PNGS["palette"], "P"),
        (PNGS["16-bit-grey"], "I;16"),
        (TIFFS["cmyk"], "CMYK"),
        (TIFFS["1-bit"], "1"),
    ],
)
def test_modes_are_kept(raw: object, mode: str) -> None:
    assert callable(raw)
    with opened(raw()) as image:
        assert image.mode == mode


def test_few_bits_hold_the_grey_photo() -> None:
    grey = np.asarray(Image.fromarray(photo(WIDTH, HEIGHT)).convert("L")).astype(int)
    with opened(PNGS["4-bit"]()) as image:
        assert np.array_equal(np.asarray(image) // 17, grey // 16)
    with opened(PNGS["1-bit"]()) as image:
        assert np.array_equal(np.asarray(image), grey > 110)


def test_a_jpeg_may_be_progressive_or_rgb() -> None:
    assert b"\xff\xc2" in JPEGS["progressive"]()
    assert b"\xff\xc2" not in JPEGS["baseline"]()
    with opened(JPEGS["rgb"]()) as image:
        assert image.info["adobe_transform"] == 0


@pytest.mark.parametrize(
    ("raw", "slack"),
    [
        (PNGS["rgba"], 0),
        (PNGS["16-bit-rgba"], 0),
        (WEBPS["rgba-lossless"], 0),
        (WEBPS["rgba"], 0),
        (TIFFS["rgba"], 0),
        (AVIFS["rgba"], 25),
    ],
)
def test_alpha_is_kept(raw: object, slack: int) -> None:
    assert callable(raw)
    with opened(raw()) as image:
        alpha = np.asarray(image.convert("RGBA"))[..., 3].astype(int)
    assert np.abs(alpha - disc()[..., 3]).max() <= slack


def test_palette_and_colour_key_make_pixels_transparent() -> None:
    with opened(PNGS["palette-transparent"]()) as image:
        assert set(np.unique(np.asarray(image.convert("RGBA"))[..., 3])) == {
            0,
            128,
            255,
        }
    with opened(PNGS["colour-key"]()) as image:
        alpha = np.asarray(image.convert("RGBA"))[..., 3]
        assert alpha[0, 0] == 0
        assert alpha.mean() > 200


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (WEBPS["animated"], False),
        (GIFS["animated"], False),
        (PNGS["animated"], False),
        (GIFS["animated-kept"], True),
    ],
)
def test_animations_show_the_square_walk(raw: object, *, kept: bool) -> None:
    assert callable(raw)
    single = [np.asarray(frame)[..., 3] for frame in frames()]
    trail = list(itertools.accumulate(single, np.maximum))
    with opened(raw()) as image:
        shown = [
            (np.asarray(frame.convert("RGBA"))[..., 3], frame.info["duration"])
            for frame in ImageSequence.Iterator(image)
        ]
    assert tuple(delay for _, delay in shown) == DELAYS
    for (alpha, _), expected in zip(shown, trail if kept else single, strict=True):
        assert np.array_equal(alpha, expected)


def test_pages_of_a_tiff_differ() -> None:
    with opened(TIFFS["pages"]()) as image:
        assert [page.copy().tobytes() for page in ImageSequence.Iterator(image)] == [
            photo(WIDTH, HEIGHT, seed).tobytes() for seed in range(3)
        ]


def test_heics_are_read_back(tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif")
    paths = write_heics(tmp_path)
    deep = heif.open_heif(paths["10-bit"], convert_hdr_to_8bit=False)
    assert deep.info["bit_depth"] == 10
    assert np.abs(patches(np.asarray(deep)) / 257 - CHART).max() < 6
    assert heif.open_heif(paths["rgba"]).has_alpha
    assert heif.open_heif(paths["8-bit"]).size == (WIDTH, HEIGHT)


@pytest.mark.parametrize("length", [0, 1, 1000, 1 << 20, 5_000_000])
def test_zeros_inflate_to_zeros(length: int) -> None:
    assert zlib.decompress(zeros_deflated(length)) == bytes(length)
