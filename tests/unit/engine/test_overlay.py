"""Watermarks: where they should be, as large as they should be, and never a crash."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from hypothesis import example, given, settings, strategies as st
from numpy.typing import NDArray
from PIL import Image

from pixtools.domain.errors import WatermarkUnusable
from pixtools.domain.plan import Mark
from pixtools.engine.ops import lettering
from pixtools.engine.ops.lettering import letter
from pixtools.engine.ops.overlay import overlay
from pixtools.engine.vips import open_engine
from pixtools.testing.images import photo_jpeg

GROUNDS = {
    "grey": ("b-w", "uchar", 1),
    "grey+alpha": ("b-w", "uchar", 2),
    "rgb": ("srgb", "uchar", 3),
    "rgba": ("srgb", "uchar", 4),
    "grey16": ("grey16", "ushort", 1),
    "grey16+alpha": ("grey16", "ushort", 2),
    "rgb16": ("rgb16", "ushort", 3),
    "rgba16": ("rgb16", "ushort", 4),
}
GRAVITIES = list(
    itertools.product(("north", "", "south"), ("west", "", "east")),
)


@pytest.fixture(autouse=True, scope="module")
def _engine() -> None:
    open_engine()


def ground(width: int, height: int, kind: str = "rgb") -> pyvips.Image:
    """A flat mid-grey picture, opaque."""
    space, format, bands = GROUNDS[kind]
    depth = 257 if format == "ushort" else 1
    values = [100 * depth] * bands
    if bands in {2, 4}:
        values[-1] = 255 * depth
    flat = pyvips.Image.black(width, height).new_from_image(values)
    return flat.cast(format).copy(interpretation=space)


def changed(before: pyvips.Image, after: pyvips.Image) -> NDArray[np.bool_]:
    shape = (before.height, before.width, before.bands)
    different = np.not_equal(
        before.numpy().reshape(shape), after.numpy().reshape(shape)
    )
    return np.asarray(different.any(axis=2))


def bounds(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is set."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


@pytest.mark.parametrize("kind", GROUNDS)
@pytest.mark.parametrize("tile", [False, True])
def test_a_picture_keeps_its_bands_format_and_size(kind: str, tile: bool) -> None:
    before = ground(120, 90, kind)
    after = overlay(before, Mark(text="PixTools", size=0.5, tile=tile), {})
    assert (after.width, after.height, after.bands) == (120, 90, before.bands)
    assert (after.format, after.interpretation) == (
        before.format,
        before.interpretation,
    )
    assert changed(before, after).any()


@pytest.mark.parametrize("kind", GROUNDS)
def test_a_solid_white_mark_is_white_at_any_depth(kind: str, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8), "white").save(tmp_path / "white.png")
    before = ground(40, 40, kind)
    mark = Mark(image="w", size=0.5, opacity=1.0, margin=0.0)
    after = overlay(before, mark, {"w": tmp_path / "white.png"})
    most = 65_535 if before.format == "ushort" else 255
    assert after(39, 39) == [most] * before.bands
    assert after(0, 0) == before(0, 0)


def test_a_mark_on_nothing_brings_its_own_opacity(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8), "red").save(tmp_path / "red.png")
    clear = pyvips.Image.black(20, 20, bands=4).copy(interpretation="srgb")
    mark = Mark(image="r", size=1.0, opacity=0.5)
    after = overlay(clear, mark, {"r": tmp_path / "red.png"})
    assert after(10, 10) == [255, 0, 0, 128]


@pytest.mark.parametrize(("down", "across"), GRAVITIES)
def test_a_mark_goes_where_its_gravity_says(down: str, across: str) -> None:
    before = ground(400, 300)
    gravity: Any = f"{down}{across}" or "centre"
    mark = Mark(text="PixTools", size=0.3, gravity=gravity, margin=0.1)
    left, top, right, bottom = bounds(changed(before, overlay(before, mark, {})))
    assert right - left == pytest.approx(120, abs=4)
    expected = {"west": left - 30, "east": 370 - right, "": (left + right) / 2 - 200}
    assert abs(expected[across]) <= 3
    expected = {"north": top - 30, "south": 270 - bottom, "": (top + bottom) / 2 - 150}
    assert abs(expected[down]) <= 3


def test_only_the_region_under_a_mark_changes() -> None:
    before = pyvips.Image.gaussnoise(200, 150, seed=1).cast("uchar")
    before = before.bandjoin([before, before]).copy(interpretation="srgb").copy_memory()
    after = overlay(before, Mark(text="x", size=0.1, gravity="northwest"), {})
    left, top, right, bottom = bounds(changed(before, after))
    assert right - left <= 20
    assert bottom - top <= 150
    assert left < 20
    assert top < 20


@pytest.mark.parametrize(
    "size", [(1, 1), (1, 300), (300, 1), (2, 2), (9, 5), (40, 2000), (2000, 3)]
)
@pytest.mark.parametrize("margin", [0.0, 0.02, 0.5])
def test_a_mark_fits_into_any_picture(size: tuple[int, int], margin: float) -> None:
    before = ground(*size)
    for mark_size in (0.01, 0.25, 1.0):
        mark = Mark(text="© PixTools\n2026", size=mark_size, margin=margin)
        assert overlay(before, mark, {}).numpy().shape == (size[1], size[0], 3)


def test_a_tall_text_is_never_taller_than_the_picture() -> None:
    mask, _ = letter("\n".join("abcdefghij" * 5), 400, 100)
    assert mask.height <= 100
    assert mask.width <= 400


def test_an_invisible_mark_leaves_the_picture_alone() -> None:
    before = ground(60, 40)
    assert overlay(before, Mark(text="x", opacity=0.0), {}) is before
    assert overlay(before, Mark(text="x", colour=(9, 9, 9, 0)), {}) is before


def test_a_fainter_mark_changes_less() -> None:
    before = ground(200, 100)

    def strength(opacity: float) -> float:
        after = overlay(before, Mark(text="PixTools", opacity=opacity), {})
        return float(np.abs(after.numpy().astype(int) - before.numpy()).sum())

    assert 0 < strength(0.2) < strength(0.6) < strength(1.0)


def test_a_text_has_its_colour() -> None:
    mark = Mark(text="█████", size=1.0, opacity=1.0, colour=(200, 10, 30, 255))
    after = overlay(ground(300, 100), mark, {})
    assert [200, 10, 30] in after.numpy().reshape(-1, 3).tolist()


@pytest.mark.parametrize("background", [255, 0, 128])
@pytest.mark.parametrize("colour", [(255, 255, 255, 255), (0, 0, 0, 255)])
def test_a_text_is_seen_on_any_ground(
    background: int, colour: tuple[int, int, int, int]
) -> None:
    before = ground(300, 100).linear(0, [background] * 3).cast("uchar")
    after = overlay(before, Mark(text="PixTools", size=0.6, colour=colour), {})
    assert np.abs(after.numpy().astype(int) - background).max() >= 40


def test_tiles_cover_the_whole_picture() -> None:
    before = ground(400, 300)
    different = changed(before, overlay(before, Mark(text="ab", tile=True), {}))
    for top, left in itertools.product((0, 150), (0, 200)):
        assert different[top : top + 150, left : left + 200].mean() > 0.02


@pytest.mark.parametrize(
    "text", ["Привет", "Ωμέγα", "مرحبا", "שלום", "հայ", "ქართ", "Ünïcödé", "½ → ©", "♥"]
)
def test_scripts_of_the_font_are_drawn_as_letters_not_boxes(text: str) -> None:
    mask, _ = letter(text, 400, 200)
    box, _ = letter("\ue000" * len(text), 400, 200)
    assert mask.width <= 400
    assert mask.numpy().shape != box.numpy().shape


@pytest.mark.parametrize(
    "text",
    [
        "😀",
        "👩‍👩‍👧‍👦",
        "漢字",
        "\ue000",
        "\U0010ffff",
        "a\u0301\u0302" * 60,
        "<b>&amp;</b>",
        "&",
        "<",
    ],
)
def test_emoji_missing_glyphs_and_markup_are_drawn_somehow(text: str) -> None:
    assert letter(text, 300, 200)[0].max() > 0


def test_markup_is_text() -> None:
    plain, _ = letter("x", 1000, 50)
    marked, _ = letter("<b>x</b>", 1000, 50)
    assert marked.width > 3 * plain.width


@pytest.mark.parametrize("text", ["", " ", "\n\t\n", "\u200b", "\u200d", "\x00\x07"])
def test_a_text_without_ink_is_refused(text: str) -> None:
    with pytest.raises(WatermarkUnusable, match="something to see"):
        overlay(ground(50, 50), Mark(text=text), {})


def test_control_characters_are_left_out_and_breaks_break() -> None:
    clean, _ = letter("ab\ncd", 200, 200)
    dirty, _ = letter("\x1ba\x00b\r\ncd\x07\n", 200, 200)
    assert np.array_equal(clean.numpy(), dirty.numpy())


@settings(max_examples=60)
@given(
    st.text(min_size=1, max_size=30),
    st.integers(1, 120),
    st.integers(1, 120),
    st.floats(0.01, 1),
)
@example("a\udcffb", 10, 10, 0.5)
@example("\u202e\u0000", 10, 10, 0.5)
def test_any_text_on_any_picture_is_drawn_or_refused(
    text: str, width: int, height: int, size: float
) -> None:
    try:
        after = overlay(ground(width, height), Mark(text=text, size=size), {})
    except WatermarkUnusable:
        return
    assert after.numpy().shape == (height, width, 3)


def test_the_font_that_comes_along_suffices() -> None:
    """With an empty fontconfig the letters are the same, but for their hinting."""
    program = (
        "from pixtools.engine.ops.lettering import letter\n"
        "mask, _ = letter('Ωμέγα Привет', 400, 100)\n"
        "print(mask.width, mask.height, round(mask.avg()))"
    )
    environment = {**os.environ, "FONTCONFIG_FILE": "/dev/null"}
    answer = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    mask, _ = letter("Ωμέγα Привет", 400, 100)
    expected = (mask.width, mask.height, round(mask.avg()))
    alone = tuple(map(int, answer.stdout.split()))
    assert alone == pytest.approx(expected, abs=3)


def test_a_machine_without_fontconfig_gets_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FONTCONFIG_FILE", "theirs")
    lettering._find_fonts(tmp_path / "nothing")
    assert os.environ["FONTCONFIG_FILE"] == "theirs"
    monkeypatch.delenv("FONTCONFIG_FILE")
    lettering._find_fonts(Path(__file__))
    assert "FONTCONFIG_FILE" not in os.environ
    lettering._find_fonts(tmp_path / "nothing")
    ours = Path(os.environ["FONTCONFIG_FILE"])
    assert "<dir>" in ours.read_text()
    assert (ours.parent / "DejaVuSans-LICENSE.txt").exists()


def test_a_picture_may_be_read_once_from_top_to_bottom(tmp_path: Path) -> None:
    path = photo_jpeg(tmp_path / "photo.jpg", 600, 400)
    mark = Mark(text="PixTools", gravity="centre", size=0.8)
    streamed = pyvips.Image.new_from_file(str(path), access="sequential")
    held = pyvips.Image.new_from_file(str(path)).copy_memory()
    assert np.array_equal(
        overlay(streamed, mark, {}).numpy(), overlay(held, mark, {}).numpy()
    )


def test_the_header_of_the_picture_stays(tmp_path: Path) -> None:
    path = photo_jpeg(tmp_path / "photo.jpg", 60, 40)
    before = pyvips.Image.new_from_file(str(path))
    after = overlay(before, Mark(text="x"), {})
    assert set(before.get_fields()) <= set(after.get_fields())
