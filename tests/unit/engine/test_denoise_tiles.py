"""Tiles together are the whole picture, of any size, depth and number of bands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pyvips
from hypothesis import given, settings, strategies as st
from tests.denoising import Pixels, opened
from tests.networks import by_chance

from pixtools.domain.plan import Denoise, Model
from pixtools.engine import Denoisers
from pixtools.engine.denoise.clean import Cleaner
from pixtools.engine.denoise.tiles import tiles
from pixtools.engine.progress import Progress

WHOLE = 4096
MEANING = {1: "b-w", 2: "b-w", 3: "srgb", 4: "srgb"}
DEEP = {1: "grey16", 2: "grey16", 3: "rgb16", 4: "rgb16"}


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="module")
def chance(tmp_path_factory: pytest.TempPathFactory) -> Denoisers:
    folder = tmp_path_factory.mktemp("chance")
    return opened(by_chance(by_chance(folder, "fast"), "quality"))


def noise(height: int, width: int, bands: int, *, deep: bool = True) -> Pixels:
    """A picture of noise alone, strong enough to be taken for such."""
    top = 65535 if deep else 255
    grain = np.random.default_rng(3).normal(0.5, 0.1, (height, width, bands))
    pixels: Pixels = (grain.clip(0, 1) * top).astype(np.uint16 if deep else np.uint8)
    return pixels


def cleaned(
    pixels: Pixels,
    denoisers: Denoisers,
    scratch: Path,
    *,
    model: Model,
    side: int = WHOLE,
    strength: float = 1.0,
) -> Pixels:
    meaning = DEEP if pixels.dtype == np.uint16 else MEANING
    image = pyvips.Image.new_from_array(pixels, interpretation=meaning[pixels.shape[2]])
    cleaner = Cleaner(
        wanted=Denoise(model=model, strength=strength),
        denoisers=denoisers,
        scratch=scratch,
        progress=Progress(lambda _: None, 1.0),
        weight=0.0,
        side=side,
    )
    found = cleaner.clean(image)
    assert found.model == model
    assert (found.image.format, found.image.interpretation) == (
        image.format,
        image.interpretation,
    )
    made: Pixels = found.image.numpy().reshape(pixels.shape)
    return made


@settings(max_examples=25)
@given(
    width=st.integers(16, 150),
    height=st.integers(16, 150),
    side=st.integers(1, 80),
    model=st.sampled_from(["quality", "fast"]),
)
def test_tiles_give_what_the_whole_picture_gives(
    chance: Denoisers, scratch: Path, width: int, height: int, side: int, model: Model
) -> None:
    """Within one of 65535, which is 1.5e-5."""
    pixels = noise(height, width, 3)
    side = max(side, 12)
    whole = cleaned(pixels, chance, scratch, model=model)
    tiled = cleaned(pixels, chance, scratch, model=model, side=side)
    assert np.abs(whole.astype(int) - tiled).max() <= 1
    assert np.abs(whole.astype(int) - pixels).max() > 100


def test_a_narrower_margin_would_be_seen(
    chance: Denoisers, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above can fail: these networks depend on all of their halo."""
    pixels = noise(80, 80, 3)
    whole = cleaned(pixels, chance, scratch, model="quality")
    network = chance.open("quality")
    less = replace(network.weights, halo=network.weights.halo - 1)
    monkeypatch.setattr(network, "weights", less)
    tiled = cleaned(pixels, chance, scratch, model="quality", side=20)
    assert np.abs(whole.astype(int) - tiled).max() > 1


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("model", ["quality", "fast"])
def test_alpha_stays_as_it_is_and_colours_don_t_see_it(
    chance: Denoisers, scratch: Path, model: Model, deep: bool
) -> None:
    pixels = noise(61, 47, 4, deep=deep)
    with_alpha = cleaned(pixels, chance, scratch, model=model, side=24)
    without = cleaned(pixels[..., :3], chance, scratch, model=model, side=24)
    assert np.array_equal(with_alpha[..., 3], pixels[..., 3])
    assert np.array_equal(with_alpha[..., :3], without)


@pytest.mark.parametrize("deep", [False, True])
def test_grey_stays_grey(chance: Denoisers, scratch: Path, deep: bool) -> None:
    """It is what the mean of three equal colours gives."""
    pixels = noise(50, 70, 1, deep=deep)
    grey = cleaned(pixels, chance, scratch, model="quality")
    colour = cleaned(np.repeat(pixels, 3, 2), chance, scratch, model="quality")
    assert np.abs(grey[..., 0] - colour.mean(2)).max() <= 1
    with_alpha = np.concatenate([pixels, pixels], axis=2)
    both = cleaned(with_alpha, chance, scratch, model="quality")
    assert np.array_equal(both[..., :1], grey)
    assert np.array_equal(both[..., 1:], pixels)


def test_sixteen_bits_are_rounded_once(chance: Denoisers, scratch: Path) -> None:
    """The result has all of its steps, not only those of eight bits; none is none."""
    pixels = noise(64, 64, 3)
    kept = cleaned(pixels, chance, scratch, model="quality", strength=0.0)
    assert np.array_equal(kept, pixels)
    full = cleaned(pixels, chance, scratch, model="quality")
    assert len(np.unique(full % 257)) > 200
    network = chance.open("quality")
    light = (pixels / np.float32(65535)).transpose(2, 0, 1).astype(np.float32)
    exact = network.clean(light, 0.0).clip(0, 1) * 65535
    assert np.abs(full.transpose(2, 0, 1) - exact).max() <= 0.51


@pytest.mark.parametrize("size", [(16, 17), (17, 16), (16, 400), (400, 16), (33, 31)])
@pytest.mark.parametrize("model", ["quality", "fast"])
def test_odd_and_narrow_pictures_keep_their_size(
    chance: Denoisers, scratch: Path, size: tuple[int, int], model: Model
) -> None:
    pixels = noise(*size, 3, deep=False)
    assert cleaned(pixels, chance, scratch, model=model).shape == pixels.shape


@settings(max_examples=50)
@given(
    size=st.tuples(st.integers(1, 9000), st.integers(1, 300)),
    side=st.integers(32, 600),
    halo=st.integers(1, 64),
    multiple=st.sampled_from([1, 2]),
)
def test_every_pixel_is_kept_once_and_read_with_its_margin(
    size: tuple[int, int], side: int, halo: int, multiple: int
) -> None:
    grid = tiles(size, side=side, halo=halo, multiple=multiple)
    area, windows = 0, {"across": set[int](), "down": set[int]()}
    for tile in grid:
        named = {"across": (tile.across, size[0]), "down": (tile.down, size[1])}
        for name, (span, length) in named.items():
            (start, end), (first, last) = span.read, span.kept
            assert 0 <= start <= first < last <= end <= length
            assert start == 0 or first - start >= halo
            assert end == length or end - last >= halo
            assert start % multiple == 0
            windows[name].add(-(-end // multiple) * multiple - start)
        (left, right), (top, bottom) = tile.across.kept, tile.down.kept
        area += (right - left) * (bottom - top)
    assert area == size[0] * size[1]
    for sides in windows.values():
        assert len(sides) == 1
        assert max(sides) <= side + 2 * halo + 2 * multiple
    corners = {(tile.across.kept[0], tile.down.kept[0]) for tile in grid}
    assert len(corners) == len(grid)
