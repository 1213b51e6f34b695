"""Where an output's pixels come from, before any pixel is read."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from pixtools.domain.layout import Size, layout
from pixtools.domain.plan import Box, Fit

SIDES = st.integers(1, 5000)


@pytest.mark.parametrize(
    ("size", "box", "scaled", "cut"),
    [
        ((400, 300), Box(width=200), (200, 150), (200, 150)),
        ((400, 300), Box(height=30), (40, 30), (40, 30)),
        ((400, 300), Box(width=200, height=200), (200, 150), (200, 150)),
        ((300, 400), Box(width=200, height=200), (150, 200), (150, 200)),
        ((400, 300), Box(width=200, height=200, fit="cover"), (267, 200), (200, 200)),
        ((400, 300), Box(width=200, height=200, fit="contain"), (200, 150), (200, 200)),
        ((400, 300), Box(width=200, height=200, fit="outside"), (267, 200), (267, 200)),
        ((400, 300), Box(width=200, height=200, fit="fill"), (200, 200), (200, 200)),
        ((1000, 1), Box(width=10, height=10), (10, 1), (10, 1)),
        ((3, 1000), Box(width=10, height=10), (1, 10), (1, 10)),
    ],
)
def test_a_fit_lays_out(size: Size, box: Box, scaled: Size, cut: Size) -> None:
    found = layout(size, box)
    assert (found.scaled, found.size) == (scaled, cut)


@pytest.mark.parametrize(
    ("fit", "scaled", "size"),
    [
        ("inside", (200, 63), (200, 63)),
        ("cover", (480, 150), (200, 150)),
        ("contain", (200, 63), (200, 200)),
        ("outside", (480, 150), (480, 150)),
        ("fill", (200, 150), (200, 150)),
    ],
)
def test_no_side_is_ever_scaled_up_unasked(fit: Fit, scaled: Size, size: Size) -> None:
    """480 x 150 in a box of 200 x 200: only what is too large shrinks."""
    found = layout((480, 150), Box(width=200, height=200, fit=fit))
    assert (found.scaled, found.size) == (scaled, size)


def test_a_box_larger_than_the_picture_changes_nothing() -> None:
    for fit in ("inside", "cover", "outside", "fill"):
        found = layout((120, 80), Box(width=500, height=900, fit=fit))
        assert (found.scaled, found.size) == ((120, 80), (120, 80))


def test_a_box_larger_than_the_picture_is_padded_by_contain() -> None:
    found = layout((120, 80), Box(width=500, height=900, fit="contain"))
    assert (found.scaled, found.size) == ((120, 80), (500, 900))
    assert found.pads
    assert not found.cuts


def test_enlarging_fills_the_box() -> None:
    box = Box(width=200, height=200, enlarge=True)
    assert layout((40, 30), box).size == (200, 150)
    covering = Box(width=200, height=200, fit="cover", enlarge=True)
    assert layout((40, 30), covering).scaled == (267, 200)
    assert layout((40, 30), covering).size == (200, 200)


def test_no_box_keeps_the_size() -> None:
    assert layout((40, 30), None).size == (40, 30)


@given(SIDES, SIDES, SIDES, SIDES, st.booleans())
def test_inside_fits_the_box_and_keeps_the_shape(
    width: int, height: int, across: int, down: int, enlarge: bool
) -> None:
    box = Box(width=across, height=down, enlarge=enlarge)
    found = layout((width, height), box).size
    assert found[0] <= across
    assert found[1] <= down
    if not enlarge:
        assert found[0] <= width
        assert found[1] <= height
    # Never further from the exact shape than rounding one side, or one pixel.
    assert abs(found[0] * height - found[1] * width) <= max(
        width, height, 2 * max(found)
    )


@given(SIDES, SIDES, SIDES, SIDES)
def test_cover_fills_the_box_as_far_as_the_picture_goes(
    width: int, height: int, across: int, down: int
) -> None:
    found = layout((width, height), Box(width=across, height=down, fit="cover"))
    assert found.size == (min(across, found.scaled[0]), min(down, found.scaled[1]))
    assert found.scaled[0] <= width
    assert found.scaled[1] <= height
    assert found.scaled[0] >= min(across, width)
    assert found.scaled[1] >= min(down, height)


@given(SIDES, SIDES, SIDES, SIDES, st.booleans())
def test_contain_gives_the_box(
    width: int, height: int, across: int, down: int, enlarge: bool
) -> None:
    box = Box(width=across, height=down, fit="contain", enlarge=enlarge)
    found = layout((width, height), box)
    assert found.size == (across, down)
    assert not found.cuts
