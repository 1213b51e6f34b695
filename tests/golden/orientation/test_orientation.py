"""Whatever way a picture was stored, its outputs stand upright, once and for all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.plans import made, output, plan

from pixtools.engine import render
from pixtools.testing.compare import pixels_of
from pixtools.testing.corpus import heic_at_hand
from pixtools.testing.images import (
    CHART_COLOURS,
    CHART_SIZE,
    orientation_chart,
    with_orientation,
)

EVERY = range(1, 9)
EXACT = ("png", "webp", "tif")
SUFFIXES = [*EXACT, "jpg", "avif", *(["heic"] if heic_at_hand() else [])]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("orientation", EVERY)
def test_every_orientation_comes_out_upright(
    tmp_path: Path, suffix: str, orientation: int
) -> None:
    source = with_orientation(tmp_path / f"turned.{suffix}", orientation)
    facts, file = made(source, tmp_path)
    assert (facts.width, facts.height) == CHART_SIZE
    gap = np.abs(pixels_of(file).astype(int) - orientation_chart())
    assert gap.max() == 0 if suffix in EXACT else gap.mean() < 0.5


@pytest.mark.parametrize("orientation", EVERY)
def test_gravity_means_the_upright_picture(tmp_path: Path, orientation: int) -> None:
    source = with_orientation(tmp_path / "turned.png", orientation)
    corners = {
        "northwest": "top_left",
        "northeast": "top_right",
        "southwest": "bottom_left",
        "southeast": "bottom_right",
    }
    outputs = [
        output(id=gravity, width=30, height=112, fit="cover", gravity=gravity)
        for gravity in corners
    ]
    report = render(source, plan(*outputs), tmp_path)
    for facts in report.outputs:
        pixels = pixels_of(tmp_path / facts.file)
        top, left = corners[facts.id].split("_")
        row = 5 if top == "top" else -5
        colour = CHART_COLOURS[corners[facts.id]]
        assert tuple(pixels[row, 5 if left == "left" else -5]) == colour


@pytest.mark.parametrize("orientation", EVERY)
def test_sizes_are_asked_of_the_upright_picture(
    tmp_path: Path, orientation: int
) -> None:
    source = with_orientation(tmp_path / "turned.jpg", orientation)
    outputs = [
        output("jpg", id="small", width=80),
        output("png", id="full"),
        output("webp", id="square", width=40, height=40, fit="cover"),
        output("png", id="flat", width=300, height=20, fit="fill", enlarge=True),
    ]
    report = render(source, plan(*outputs), tmp_path)
    sizes = {facts.id: (facts.width, facts.height) for facts in report.outputs}
    assert sizes == {
        "small": (80, 56),
        "full": CHART_SIZE,
        "square": (40, 40),
        "flat": (300, 20),
    }
    for facts in report.outputs:
        with Image.open(tmp_path / facts.file) as image:
            assert image.size == sizes[facts.id]


@pytest.mark.parametrize("format", ["jpg", "png", "webp", "avif", "tiff"])
@pytest.mark.parametrize("keep", ["none", "copyright", "all"])
def test_no_output_is_ever_turned_again(tmp_path: Path, format: str, keep: str) -> None:
    source = with_orientation(tmp_path / "turned.jpg", 6)
    _, file = made(source, tmp_path, format, keep_metadata=keep)
    with Image.open(file) as image:
        assert image.getexif().get(0x0112, 1) == 1
        assert image.size == CHART_SIZE
