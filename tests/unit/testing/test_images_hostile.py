"""Pillow and the standard library confirm that the hostile files are what they claim."""

from __future__ import annotations

import io
import time
import zipfile
import zlib
from pathlib import Path

import pytest
from PIL import Image

from pixtools.testing.images_bombs import (
    gif_of_frames,
    jpeg_claiming_much,
    jpeg_of_scans,
    png_bomb,
    tiff_bomb,
)
from pixtools.testing.images_hostile import OK, hostile_files, write_hostile
from pixtools.testing.images_impostors import POLYGLOTS, svg_billion_laughs

HOSTILE = hostile_files()
SMALL = [key for key in HOSTILE if not key.startswith(("bomb", "claim"))]
READ = [key for key in SMALL if HOSTILE[key].answers == {OK}]
BROKEN = [key for key in SMALL if key.startswith(("cut", "magic", "no-size", "zeros"))]


def test_all_are_made_at_once_and_are_small(tmp_path: Path) -> None:
    begin = time.process_time()
    paths = write_hostile(tmp_path)
    assert time.process_time() - begin < 10
    assert paths.keys() == HOSTILE.keys()
    assert max(path.stat().st_size for path in paths.values()) < 3_000_000
    assert paths["jpg-named-png"].name == "photo.png"


def test_every_file_has_a_right_answer() -> None:
    assert all(hostile.answers for hostile in HOSTILE.values())


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("key", READ)
def test_odd_files_are_whole(key: str) -> None:
    with Image.open(io.BytesIO(HOSTILE[key].make())) as image:
        image.load()


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("key", BROKEN)
def test_damaged_files_do_not_load(key: str) -> None:
    with (
        pytest.raises((OSError, SyntaxError, ValueError)),
        Image.open(io.BytesIO(HOSTILE[key].make())) as image,
    ):
        image.load()


def test_flips_change_a_file_of_every_kind() -> None:
    flipped = [key for key in HOSTILE if key.startswith("flipped")]
    assert len({HOSTILE[key].make() for key in flipped}) == len(flipped) == 21


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_png_bomb_is_a_right_png_of_its_size() -> None:
    with Image.open(io.BytesIO(png_bomb(9000, 9001, bands=3))) as image:
        assert image.size == (9000, 9001)
    with Image.open(io.BytesIO(png_bomb(300, 200))) as image:
        image.load()
        assert (image.mode, image.getextrema()) == ("L", (0, 0))


def test_the_largest_bomb_inflates_to_two_and_a_half_gigabytes() -> None:
    bomb = png_bomb()
    start = bomb.index(b"IDAT") + 4
    inflater, total = zlib.decompressobj(), 0
    rest = bomb[start : start + len(bomb) // 25]
    while rest:
        total += len(inflater.decompress(rest, 1 << 20))
        rest = inflater.unconsumed_tail
    assert total > 2_500_050_000 / 26
    assert len(bomb) < 2_600_000


def test_a_tiff_bomb_is_a_right_tiff_when_small() -> None:
    with Image.open(io.BytesIO(tiff_bomb(64))) as image:
        image.load()
        assert image.size == (64, 64)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_jpeg_claims_more_than_it_holds() -> None:
    raw = jpeg_claiming_much()
    assert raw[raw.index(b"\xff\xc0") + 5 :][:4] == b"\xff\xdc\xff\xdc"


def test_a_gif_has_all_its_frames() -> None:
    with Image.open(io.BytesIO(gif_of_frames(50))) as image:
        assert getattr(image, "n_frames", 0) == 50


def test_a_jpeg_has_all_its_scans() -> None:
    assert jpeg_of_scans(300).count(b"\xff\xda") > 300


def test_laughs_are_nested_nine_deep() -> None:
    assert svg_billion_laughs().count(b"<!ENTITY") == 10


def test_polyglots_are_two_things() -> None:
    for name, make in POLYGLOTS.values():
        with Image.open(io.BytesIO(make())) as image:
            assert str(image.format).lower()[:1] == name.rsplit(".", 1)[1][:1]
    photo_and_zip = io.BytesIO(POLYGLOTS["jpg-and-zip"][1]())
    assert zipfile.ZipFile(photo_and_zip).read("hello.txt") == b"hello"
    script = POLYGLOTS["gif-and-script"][1]()
    assert script.startswith(b"GIF89a/*")
    assert script.count(b"*/") == 1
