"""Animations keep their frames, their timing and their loop where asked."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence
from tests.plans import made, output, plan

from pixtools.domain.errors import ImageTooLarge, TooManyFrames
from pixtools.domain.limits import Limits
from pixtools.domain.plan import Mark
from pixtools.engine import render
from pixtools.testing.images_formats import DELAYS, GIFS, HEIGHT, WEBPS, WIDTH, frames
from pixtools.testing.libraries import Pixels

MOVING = {"gif": GIFS["animated"], "webp": WEBPS["animated"]}
LOOPS = {"gif": 0, "webp": 3}


@pytest.fixture(params=MOVING)
def moving(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """An animation of five frames."""
    path = tmp_path / f"moving.{request.param}"
    path.write_bytes(MOVING[request.param]())
    return path


def shown(path: Path) -> tuple[list[Pixels], list[int]]:
    """Every frame as RGBA, and how long it stays."""
    with Image.open(path) as image:
        pictures, delays = [], []
        for frame in ImageSequence.Iterator(image):
            pictures.append(np.asarray(frame.convert("RGBA")))
            delays.append(frame.info["duration"])
        return pictures, delays


@pytest.mark.parametrize("format", ["gif", "webp"])
def test_every_frame_is_kept_exactly(moving: Path, tmp_path: Path, format: str) -> None:
    lossless = {"lossless": True} if format == "webp" else {}
    facts, file = made(moving, tmp_path, format, animated=True, **lossless)
    pictures, delays = shown(file)
    assert facts.frames == len(pictures) == 5
    assert delays == list(DELAYS)
    for picture, frame in zip(pictures, frames(), strict=True):
        expected = np.asarray(frame)
        seen = expected[..., 3] > 0
        assert np.array_equal(picture[..., 3], expected[..., 3])
        assert np.array_equal(picture[seen], expected[seen])


@pytest.mark.parametrize("format", ["gif", "webp"])
def test_frames_are_scaled_one_by_one(
    moving: Path, tmp_path: Path, format: str
) -> None:
    """Each frame has its own square where it belongs, nothing of its neighbours."""
    facts, file = made(moving, tmp_path, format, animated=True, width=60)
    assert (facts.width, facts.height) == (60, 40)
    pictures, delays = shown(file)
    assert delays == list(DELAYS)
    for step, picture in enumerate(pictures):
        left = (12 + 20 * step) // 2
        assert picture.shape == (40, 60, 4)
        assert picture[16, left + 1, 3] == 255
        outside = picture[..., 3].copy()
        outside[13:27, left - 2 : left + 12] = 0
        assert outside.max() <= 8


def test_a_loop_is_kept(tmp_path: Path) -> None:
    source = tmp_path / "moving.webp"
    source.write_bytes(WEBPS["animated"]())
    _, file = made(source, tmp_path, "webp", animated=True, width=30)
    with Image.open(file) as image:
        assert image.info["loop"] == LOOPS["webp"]


def test_a_still_and_a_moving_output_go_together(moving: Path, tmp_path: Path) -> None:
    outputs = [
        output("webp", id="moving", animated=True, width=60),
        output("gif", id="square", animated=True, width=40, height=40, fit="cover"),
        output("png", id="still", width=60),
        output("jpg", id="photo"),
        output("webp", id="poster"),
    ]
    report = render(moving, plan(*outputs), tmp_path)
    assert report.failures == ()
    counts = {facts.id: facts.frames for facts in report.outputs}
    assert counts == {"moving": 5, "square": 5, "still": 1, "photo": 1, "poster": 1}
    for facts in report.outputs:
        with Image.open(tmp_path / facts.file) as image:
            assert getattr(image, "n_frames", 1) == facts.frames
            assert image.size == (facts.width, facts.height)


def test_the_first_frame_is_the_picture_unless_asked(
    moving: Path, tmp_path: Path
) -> None:
    facts, file = made(moving, tmp_path, "webp", lossless=True)
    pictures = np.asarray(Image.open(file).convert("RGBA"))
    expected = np.asarray(frames()[0])
    assert facts.frames == 1
    assert np.array_equal(pictures[..., 3], expected[..., 3])


def test_a_moving_output_of_a_still_source_is_still(tmp_path: Path) -> None:
    source = tmp_path / "still.gif"
    source.write_bytes(GIFS["still"]())
    facts, file = made(source, tmp_path, "webp", animated=True)
    assert facts.frames == 1
    with Image.open(file) as image:
        assert image.size == (WIDTH, HEIGHT)


def test_an_animation_is_cut_alike_in_every_frame(tmp_path: Path) -> None:
    source = tmp_path / "moving.gif"
    source.write_bytes(GIFS["animated"]())
    _, file = made(
        source,
        tmp_path,
        "webp",
        animated=True,
        lossless=True,
        width=60,
        height=80,
        fit="cover",
        gravity="attention",
    )
    pictures, _ = shown(file)
    firsts = [np.flatnonzero(p[..., 3].max(axis=0)) for p in pictures]
    lefts = [int(found[0]) for found in firsts if found.size == 20]
    assert len(lefts) >= 2
    assert {b - a for a, b in pairwise(lefts)} == {20}


def test_a_watermark_stands_still(tmp_path: Path) -> None:
    source = tmp_path / "moving.gif"
    source.write_bytes(GIFS["animated"]())
    mark = Mark(text="PixTools", opacity=1.0, size=0.5, gravity="north")
    _, file = made(source, tmp_path, "webp", animated=True, lossless=True, mark=mark)
    pictures, _ = shown(file)
    tops = [picture[:24] for picture in pictures]
    assert tops[0][..., 3].max() > 200
    assert all(np.array_equal(top, tops[0]) for top in tops[1:])


def test_too_many_frames_are_refused_only_where_they_are_wanted(
    moving: Path, tmp_path: Path
) -> None:
    few = Limits(max_frames=4)
    with pytest.raises(TooManyFrames, match="at most 4 frames but received 5"):
        render(moving, plan(output("webp", animated=True)), tmp_path, limits=few)
    assert render(moving, plan(output("webp")), tmp_path, limits=few).failures == ()


def test_the_pixels_of_all_frames_count(moving: Path, tmp_path: Path) -> None:
    limits = Limits(max_pixels=WIDTH * HEIGHT * 4)
    small = output("webp", animated=True, width=30)
    with pytest.raises(ImageTooLarge, match="× 5 frames"):
        render(moving, plan(small), tmp_path, limits=limits)
    assert render(moving, plan(output("webp")), tmp_path, limits=limits).outputs
