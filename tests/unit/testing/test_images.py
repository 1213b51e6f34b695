from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from pixtools.testing.images import (
    CHART_COLOURS,
    orientation_chart,
    photo,
    photo_jpeg,
    with_orientation,
)
from pixtools.testing.images_damage import bits_flipped, overwritten, truncated


def test_a_seed_gives_the_same_photo_again() -> None:
    first = photo(96, 64, seed=7)
    assert first.shape == (64, 96, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, photo(96, 64, seed=7))
    assert not np.array_equal(first, photo(96, 64, seed=8))


def test_a_photo_weighs_what_a_camera_s_photo_weighs(tmp_path: Path) -> None:
    path = photo_jpeg(tmp_path / "photo.jpg", 1600, 1200)
    bits_per_pixel = path.stat().st_size * 8 / (1600 * 1200)
    assert 2.0 < bits_per_pixel < 3.5


def test_a_photo_may_be_as_small_as_one_pixel() -> None:
    assert photo(1, 1).shape == (1, 1, 3)
    assert photo(3, 500).shape == (500, 3, 3)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize(
    ("subsampling", "sampling"), [("4:4:4", 0x11), ("4:2:2", 0x21), ("4:2:0", 0x22)]
)
def test_a_jpeg_is_written_as_asked(
    tmp_path: Path, subsampling: str, sampling: int, *, progressive: bool
) -> None:
    path = photo_jpeg(
        tmp_path / "photo.jpg",
        64,
        48,
        progressive=progressive,
        subsampling=subsampling,
        icc=b"a profile",
    )
    frame = path.read_bytes()
    start = frame.index(b"\xff\xc2" if progressive else b"\xff\xc0")
    assert frame[start + 11] == sampling
    with Image.open(path) as image:
        assert image.size == (64, 48)
        assert image.info["icc_profile"] == b"a profile"


def test_no_turn_of_the_chart_looks_like_another() -> None:
    chart = Image.fromarray(orientation_chart())
    turns = {chart.transpose(turn).tobytes() for turn in Image.Transpose}
    assert len({*turns, chart.tobytes()}) == len(Image.Transpose) + 1
    assert chart.getpixel((5, 5)) == CHART_COLOURS["top_left"]
    assert chart.getpixel((150, 100)) == CHART_COLOURS["bottom_right"]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "avif"])
def test_a_correct_reader_shows_the_chart_upright(
    tmp_path: Path, suffix: str, orientation: int
) -> None:
    path = with_orientation(tmp_path / f"chart.{suffix}", orientation)
    with Image.open(path) as stored:
        turned = orientation > 4 and suffix != "tif"  # Pillow turns a TIFF by itself
        assert suffix == "tif" or stored.size == ((112, 160) if turned else (160, 112))
        shown = np.asarray(ImageOps.exif_transpose(stored).convert("RGB"))
    error = np.abs(shown.astype(int) - orientation_chart())
    assert shown.shape == orientation_chart().shape
    assert error.mean() < (1.5 if suffix in {"jpg", "avif"} else 1e-9)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_heic_carries_its_turn_in_boxes(tmp_path: Path, orientation: int) -> None:
    heif = pytest.importorskip("pillow_heif")
    path = with_orientation(tmp_path / "chart.heic", orientation)
    read = heif.open_heif(path)
    shown = np.asarray(read.to_pillow().convert("RGB")).astype(int)
    assert np.abs(shown - orientation_chart()).mean() < 1.5


def test_harm_is_done_as_asked() -> None:
    raw = bytes(range(200))
    assert truncated(raw, 0.25) == raw[:50]
    flipped = bits_flipped(raw, seed=3, flips=1, spare=100)
    differing = [
        place for place, (a, b) in enumerate(zip(raw, flipped, strict=True)) if a != b
    ]
    assert len(differing) == 1
    assert differing[0] >= 100
    assert bits_flipped(raw, seed=3) == bits_flipped(raw, seed=3)
    assert (
        overwritten(raw, start=0.5, length=2, value=9)
        == raw[:100] + b"\t\t" + raw[102:]
    )
