"""Prices: right in order and proportion, and there for all that can be written."""

from __future__ import annotations

import pytest

from pixtools.domain.formats import FORMATS, Format
from pixtools.domain.plan import Encode
from pixtools.domain.prices import reading_ms, writing_ms

MEGAPIXEL = 1_000_000
WRITABLE = [kind for kind in FORMATS.values() if kind.writable]


def efforts(kind: Format) -> range:
    low, high = kind.effort_range or (0, 0)
    return range(low, high + 1)


@pytest.mark.parametrize("kind", WRITABLE, ids=lambda kind: kind.name)
def test_trying_harder_never_costs_less(kind: Format) -> None:
    """Every effort that a client may ask for has its price, with loss or without."""
    for lossless in (False, True):
        costs = [
            writing_ms(Encode(format=kind.name, effort=e, lossless=lossless), MEGAPIXEL)
            for e in efforts(kind)
        ]
        assert costs == sorted(costs)
        assert min(costs) > 0


@pytest.mark.parametrize("kind", FORMATS.values(), ids=lambda kind: kind.name)
def test_more_pixels_cost_more_to_read(kind: Format) -> None:
    assert reading_ms(kind.name, 1) < reading_ms(kind.name, MEGAPIXEL)


def test_left_out_efforts_are_the_default_ones() -> None:
    assert writing_ms(Encode(format="avif"), 1) == writing_ms(
        Encode(format="avif", effort=FORMATS["avif"].effort), 1
    )


def test_fitting_into_bytes_takes_several_tries() -> None:
    once = writing_ms(Encode(format="jpg"), MEGAPIXEL)
    assert writing_ms(Encode(format="jpg", max_bytes=9), MEGAPIXEL) > 3 * once


def test_a_jpeg_that_is_made_small_is_half_as_dear() -> None:
    """Its decoder skips what nobody will see."""
    whole = reading_ms("jpg", 12 * MEGAPIXEL)
    assert reading_ms("jpg", 12 * MEGAPIXEL, 12 * MEGAPIXEL) == whole
    assert reading_ms("jpg", 12 * MEGAPIXEL, MEGAPIXEL) < whole
    assert reading_ms("png", MEGAPIXEL, 9) == reading_ms("png", MEGAPIXEL)
