"""What is told of a photo before anybody opens it, against who does open it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import pyvips
from PIL import Image

from pixtools.domain.catalogue import STANDARD
from pixtools.domain.errors import ImageTooLargeForMemory
from pixtools.domain.limits import MIB, Limits
from pixtools.engine import probe
from pixtools.jobs.header import read_header
from pixtools.jobs.traits import Traits, traits
from pixtools.testing.house import House
from pixtools.testing.images_formats import saved

KNOWN = frozenset({"jpg", "png", "webp", "avif"})
"""Formats of which more than the size is read."""


def test_nothing_is_told_that_is_not_so(sources: dict[str, Path]) -> None:
    """And of the formats that are read, hardly anything is left out."""
    told = set()
    for name, path in sources.items():
        if path.suffix == ".heic":
            continue
        found = read_header(path.read_bytes(), Limits(), STANDARD, complete=True).traits
        facts = probe(path)
        assert found.has_alpha <= facts.has_alpha, name
        assert found.interlaced <= facts.interlaced, name
        assert (found.bits > 8) <= (facts.bits > 8), name
        if facts.format in KNOWN:
            assert found.interlaced == facts.interlaced, name
            told |= {(facts.format, trait) for trait in _of(found)}
    assert told >= {
        ("jpg", "interlaced"),
        ("png", "interlaced"),
        ("png", "has_alpha"),
        ("png", "bits"),
        ("webp", "has_alpha"),
    }


def _of(found: Traits) -> list[str]:
    plain = Traits()
    names = ("has_alpha", "bits", "interlaced")
    return [name for name in names if getattr(found, name) > getattr(plain, name)]


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_an_avif_tells_its_depth(bits: int, tmp_path: Path) -> None:
    path = tmp_path / "deep.avif"
    pyvips.Image.black(64, 48, bands=3).cast("ushort").copy(
        interpretation="rgb16"
    ).heifsave(str(path), compression="av1", bitdepth=bits, effort=0)
    found = read_header(path.read_bytes(), Limits(), STANDARD, complete=True).traits
    assert (found.bits > 8) == (bits > 8) == (probe(path).bits > 8)


@pytest.mark.parametrize("format", ["jpg", "png", "webp", "avif", "gif"])
def test_what_is_cut_short_or_hostile_has_none(format: str) -> None:
    for data in (b"", b"\xff" * 2000, bytes(2000)):
        found = traits(format, data, io.BytesIO(data))
        assert found.interlaced is False


def test_a_progressive_photo_that_fits_into_no_worker_is_refused_when_it_is_sent(
    house: House,
) -> None:
    """Its decoder holds all of it, where a plain one streams."""
    photo = Image.new("RGB", (3000, 2000), "teal")
    house.rule(limits=Limits(memory_budget_bytes=64 * MIB))
    house.submit(data=saved(photo, "JPEG"), filename="plain.jpg")
    with pytest.raises(ImageTooLargeForMemory):
        house.submit(data=saved(photo, "JPEG", progressive=True))
