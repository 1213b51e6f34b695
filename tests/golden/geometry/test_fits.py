"""Each fit and each gravity, on a chart of which no turn or flip looks like another."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from tests.golden.golden import Golden
from tests.plans import made

from pixtools.domain.plan import Fit, Gravity
from pixtools.testing.compare import pixels_of
from pixtools.testing.images import CHART_SIZE, orientation_chart
from pixtools.testing.images_formats import disc, small_photo
from pixtools.testing.libraries import Pixels
from pixtools.testing.png_structure import png_file

WIDTH, HEIGHT = CHART_SIZE
COMPASS = [g for g in get_args(Gravity) if g not in ("attention", "entropy")]


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    """The upright chart as PNG."""
    path = tmp_path / "chart.png"
    path.write_bytes(png_file(orientation_chart()))
    return path


def start(gravity: str, free: int, low: str, high: str) -> int:
    """Where a window begins that leaves `free` pixels over."""
    return 0 if low in gravity else free if high in gravity else free // 2


@pytest.mark.parametrize("gravity", COMPASS)
def test_cover_keeps_the_pixels_at_its_gravity(
    chart: Path, tmp_path: Path, gravity: Gravity
) -> None:
    """Where one side fits already nothing is resampled: the cut is exact."""
    square, band = (112, 112), (160, 60)
    for width, height in (square, band):
        _, file = made(
            chart, tmp_path, width=width, height=height, fit="cover", gravity=gravity
        )
        left = start(gravity, WIDTH - width, "west", "east")
        top = start(gravity, HEIGHT - height, "north", "south")
        expected = orientation_chart()[top : top + height, left : left + width]
        assert np.array_equal(pixels_of(file), expected)


@pytest.mark.parametrize("gravity", COMPASS)
def test_contain_leaves_the_picture_at_its_gravity(
    chart: Path, tmp_path: Path, gravity: Gravity
) -> None:
    _, file = made(
        chart,
        tmp_path,
        width=200,
        height=131,
        fit="contain",
        gravity=gravity,
        background=(10, 20, 30, 255),
    )
    expected = np.full((131, 200, 3), (10, 20, 30), dtype="u1")
    left = start(gravity, 200 - WIDTH, "west", "east")
    top = start(gravity, 131 - HEIGHT, "north", "south")
    expected[top : top + HEIGHT, left : left + WIDTH] = orientation_chart()
    assert np.array_equal(pixels_of(file), expected)


@pytest.mark.parametrize("fit", get_args(Fit))
@pytest.mark.parametrize("enlarge", [False, True])
def test_a_fit_looks_as_accepted(
    chart: Path, tmp_path: Path, golden: Golden, fit: Fit, enlarge: bool
) -> None:
    for label, width, height in (("down", 70, 90), ("up", 200, 230)):
        _, file = made(
            chart, tmp_path, fit=fit, enlarge=enlarge, width=width, height=height
        )
        golden.close(pixels_of(file), label, decibels=45)


@pytest.mark.parametrize("gravity", get_args(Gravity))
def test_a_cut_looks_as_accepted(
    chart: Path, tmp_path: Path, golden: Golden, gravity: Gravity
) -> None:
    _, file = made(chart, tmp_path, fit="cover", gravity=gravity, width=50, height=80)
    golden.close(pixels_of(file), decibels=45)


@pytest.mark.parametrize("gravity", ["attention", "entropy"])
@pytest.mark.parametrize("enlarge", [False, True])
def test_a_cut_that_looks_keeps_what_stands_out(
    tmp_path: Path, gravity: Gravity, enlarge: bool
) -> None:
    """A patch of a photograph on an empty wall is found, wherever it is."""
    for left in (20, 240):
        wall = np.full((100, 360, 3), 128, dtype="u1")
        wall[10:90, left : left + 100] = small_photo()[:80, :100]
        source = tmp_path / "wall.png"
        source.write_bytes(png_file(wall))
        side = 150 if enlarge else 60
        facts, file = made(
            source,
            tmp_path,
            width=side,
            height=side,
            fit="cover",
            gravity=gravity,
            enlarge=enlarge,
        )
        assert (facts.width, facts.height) == (side, side)
        assert flat(pixels_of(file)) < 0.35


def flat(pixels: Pixels) -> float:
    """The share of pixels that show the wall."""
    return float((np.abs(pixels.astype(int) - 128).max(axis=2) <= 2).mean())


def test_shrinking_is_as_good_as_pillow_s_lanczos(tmp_path: Path) -> None:
    from PIL import Image

    source = tmp_path / "photo.png"
    source.write_bytes(png_file(small_photo()))
    _, file = made(source, tmp_path, width=50)
    ours = pixels_of(file).astype(float)
    theirs = Image.fromarray(small_photo()).resize((50, 33), Image.Resampling.LANCZOS)
    assert np.abs(ours - np.asarray(theirs)).mean() < 1.5


def test_hidden_colours_never_bleed_out_of_transparency(tmp_path: Path) -> None:
    """The disc's invisible surroundings are green; no scaled pixel may show that."""
    source = tmp_path / "disc.png"
    source.write_bytes(png_file(disc()))
    for format in ("png", "webp", "tiff"):
        _, file = made(source, tmp_path, format, width=47)
        pixels = pixels_of(file).astype(int)
        seen = pixels[pixels[..., 3] > 24]
        assert (seen[:, 1] < 110).all(), format
        assert (seen[:, 0] > 150).all(), format


def test_one_pixel_is_the_least(tmp_path: Path) -> None:
    source = tmp_path / "row.png"
    source.write_bytes(png_file(np.zeros((1, 300, 3), dtype="u1")))
    for fit in get_args(Fit):
        facts, _ = made(source, tmp_path, width=10, height=10, fit=fit)
        assert facts.height == (10 if fit == "contain" else 1)


def test_filling_stretches_both_ways(chart: Path, tmp_path: Path) -> None:
    facts, file = made(chart, tmp_path, width=40, height=300, fit="fill", enlarge=True)
    assert pixels_of(file).shape == (300, 40, 3)
    assert (facts.width, facts.height) == (40, 300)
