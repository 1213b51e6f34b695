"""How watermarks look: kept small, on a chart whose corners show where they are."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
import pyvips
from PIL import Image, ImageDraw
from tests.golden.golden import Golden

from pixtools.domain.plan import Mark
from pixtools.engine.ops.overlay import overlay
from pixtools.engine.vips import open_engine
from pixtools.testing.images import orientation_chart

TEXTS: Final = {
    "default": Mark(text="© PixTools"),
    "northwest": Mark(text="Ωμέγα", gravity="northwest", size=0.5),
    "cyrillic_centre": Mark(text="Привет", gravity="centre", size=0.8, opacity=1.0),
    "arabic": Mark(text="مرحبا", gravity="east", size=0.4),
    "two_lines": Mark(text="one\nand two", gravity="south", size=0.4),
    "markup": Mark(text="<b>&</b>", gravity="north", size=0.5),
    "dark": Mark(text="dark", colour=(20, 20, 90, 255), gravity="west", size=0.3),
    "tiled": Mark(text="PixTools", size=0.25, tile=True, opacity=0.5),
}
LOGOS: Final = {
    "corner": Mark(image="logo", size=0.3, margin=0.05),
    "faint_centre": Mark(image="logo", size=0.6, gravity="centre", opacity=0.3),
    "tiled": Mark(image="logo", size=0.15, tile=True),
}


@pytest.fixture(scope="module")
def chart() -> pyvips.Image:
    open_engine()
    return pyvips.Image.new_from_array(orientation_chart()).copy(interpretation="srgb")


@pytest.fixture
def logo(tmp_path: Path) -> Path:
    """A white ring around a red disc, transparent elsewhere."""
    drawn = Image.new("RGBA", (96, 96), (0, 0, 0, 0))
    pen = ImageDraw.Draw(drawn)
    pen.ellipse((2, 2, 93, 93), fill="white")
    pen.ellipse((14, 14, 81, 81), fill=(200, 0, 40))
    drawn.save(tmp_path / "logo.png")
    return tmp_path / "logo.png"


@pytest.mark.parametrize("name", TEXTS)
def test_text(chart: pyvips.Image, golden: Golden, name: str) -> None:
    # Hinting is the machine's choice, so letters are alike, not equal.
    golden.close(overlay(chart, TEXTS[name], {}).numpy(), decibels=30, bits=4)


@pytest.mark.parametrize("name", LOGOS)
def test_logo(chart: pyvips.Image, golden: Golden, logo: Path, name: str) -> None:
    golden.close(overlay(chart, LOGOS[name], {"logo": logo}).numpy(), decibels=45)
