"""Every format that is read becomes every format that is written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.plans import made, output, plan

from pixtools.domain.formats import FORMATS, WRITABLE
from pixtools.engine import probe, render
from pixtools.testing.compare import pixels_of, psnr
from pixtools.testing.corpus import heic_at_hand
from pixtools.testing.images_formats import (
    AVIFS,
    GIFS,
    HEIGHT,
    JPEGS,
    PNGS,
    TIFFS,
    WEBPS,
    WIDTH,
    disc,
    small_photo,
    write_heics,
)

FAMILIES = {
    "jpg": JPEGS,
    "png": PNGS,
    "webp": WEBPS,
    "avif": AVIFS,
    "gif": GIFS,
    "tiff": TIFFS,
}
PHOTOS = {
    "jpg": JPEGS["4-4-4"],
    "png": PNGS["rgb"],
    "webp": WEBPS["lossless"],
    "avif": AVIFS["4-4-4"],
    "gif": GIFS["still"],
    "tiff": TIFFS["deflate"],
}
PILLOW = {
    "jpg": "JPEG",
    "png": "PNG",
    "webp": "WEBP",
    "avif": "AVIF",
    "gif": "GIF",
    "tiff": "TIFF",
}
EVERY_SOURCE = [(name, what) for name, makes in FAMILIES.items() for what in makes]


@pytest.mark.parametrize("written", WRITABLE)
@pytest.mark.parametrize("read", [*PHOTOS, "heic"])
def test_every_pair_of_formats_shows_the_same_photograph(
    tmp_path: Path, read: str, written: str
) -> None:
    if read == "heic" and not heic_at_hand():
        pytest.skip("HEIC needs pixtools[heic]")
    source = tmp_path / "source"
    if read == "heic":
        source = write_heics(tmp_path)["8-bit"]
    else:
        source.write_bytes(PHOTOS[read]())
    lossy = FORMATS[written].lossy
    facts, file = made(source, tmp_path, written, **({"quality": 95} if lossy else {}))
    assert file.suffix == f".{FORMATS[written].extension}"
    assert (facts.format, facts.width, facts.height) == (written, WIDTH, HEIGHT)
    with Image.open(file) as image:
        assert image.format == PILLOW[written]
    # Grain and leaves of 120 x 80 are hard on 4:2:0 and on palettes.
    assert psnr(pixels_of(file)[..., :3], small_photo()) > 22


@pytest.mark.parametrize(("name", "what"), EVERY_SOURCE)
def test_every_kind_of_source_is_read(tmp_path: Path, name: str, what: str) -> None:
    source = tmp_path / "no-suffix-at-all"
    source.write_bytes(FAMILIES[name][what]())
    facts = probe(source)
    assert facts.format == name
    formats = [output(format, id=format, width=50) for format in ("jpg", "png", "webp")]
    report = render(source, plan(*formats), tmp_path)
    assert report.failures == ()
    for made_ in report.outputs:
        with Image.open(tmp_path / made_.file) as image:
            assert image.size == (made_.width, made_.height)
            assert image.size[0] == 50
            image.load()


@pytest.mark.parametrize("written", ["png", "webp", "tiff"])
@pytest.mark.parametrize("read", ["png", "webp", "tiff"])
def test_lossless_formats_pass_every_pixel_on(
    tmp_path: Path, read: str, written: str
) -> None:
    sources = {
        "png": PNGS["rgba"],
        "webp": WEBPS["rgba-lossless"],
        "tiff": TIFFS["rgba"],
    }
    source = tmp_path / "source"
    source.write_bytes(sources[read]())
    lossless = {"lossless": True} if written == "webp" else {}
    _, file = made(source, tmp_path, written, **lossless)
    pixels, expected = pixels_of(file), disc()
    seen = expected[..., 3] > 0
    assert np.array_equal(pixels[..., 3], expected[..., 3])
    assert np.array_equal(pixels[seen], expected[seen])


def test_lossless_avif_passes_every_pixel_on(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(PNGS["rgb"]())
    _, file = made(source, tmp_path, "avif", lossless=True, effort=0)
    # Pillow's conversion from full-range YCbCr may be off by a level or two.
    assert np.abs(pixels_of(file).astype(int) - small_photo()).max() <= 2


@pytest.mark.parametrize("what", ["grey", "1-bit", "4-bit", "16-bit-grey"])
def test_grey_stays_grey_where_the_format_can(tmp_path: Path, what: str) -> None:
    source = tmp_path / "source"
    source.write_bytes(PNGS[what]())
    for format in ("jpg", "png", "tiff"):
        _, file = made(source, tmp_path, format)
        with Image.open(file) as image:
            assert len(image.getbands()) == 1, format
    for format in ("webp", "avif"):
        _, file = made(source, tmp_path, format)
        pixels = pixels_of(file).astype(int)
        assert np.abs(pixels.max(axis=2) - pixels.min(axis=2)).max() <= 2, format


def test_the_first_page_of_a_tiff_is_the_picture(tmp_path: Path) -> None:
    source = tmp_path / "pages.tif"
    source.write_bytes(TIFFS["pages"]())
    facts, file = made(source, tmp_path)
    assert np.array_equal(pixels_of(file), small_photo(0))
    assert facts.frames == 1


def test_jpeg_subsamples_below_quality_90_only(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(PNGS["rgb"]())
    for quality, layers in ((80, (2, 2)), (89, (2, 2)), (90, (1, 1))):
        _, file = made(source, tmp_path, "jpg", quality=quality)
        with Image.open(file) as image:
            assert image.layer[0][1:3] == layers  # type: ignore[attr-defined]  # JPEG's own
