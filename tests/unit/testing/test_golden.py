"""The golden policy is a promise of its own: nothing is accepted by itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.golden.golden import ACCEPT, Golden, accepting

from pixtools.testing.images import photo
from pixtools.testing.libraries import Pixels

TEST = "tests/golden/test_crop.py::test_a_crop[left top]"


def keeper(directory: Path, *, accept: bool = False) -> Golden:
    return Golden(TEST, directory / "actual", directory / "expected", accept)


def nudged(pixels: Pixels, by: int) -> Pixels:
    return np.asarray(np.clip(pixels.astype(int) + by, 0, 255).astype("u1"))


def test_a_missing_golden_fails_and_says_how_to_accept(tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception) as failure:
        keeper(tmp_path).exact(photo(32, 24))
    assert "There is no golden" in str(failure.value)
    assert f"{ACCEPT}=1 python -m pytest '{TEST}'" in str(failure.value)
    assert not (tmp_path / "expected").exists()
    assert (tmp_path / "actual/test_a_crop_left_top.png").exists()


@pytest.mark.parametrize("bands", [slice(0, 3), slice(0, 1), 0])
def test_an_accepted_golden_holds_the_exact_pixels(
    tmp_path: Path, bands: slice | int
) -> None:
    pixels = np.ascontiguousarray(photo(32, 24)[..., bands]).squeeze()
    keeper(tmp_path, accept=True).exact(pixels)
    keeper(tmp_path).exact(pixels)
    changed = pixels.copy()
    changed[3, 4] ^= 1
    with pytest.raises(pytest.fail.Exception, match="samples differ"):
        keeper(tmp_path).exact(changed)


def test_a_failure_names_the_command_that_shows_both(tmp_path: Path) -> None:
    keeper(tmp_path, accept=True).exact(photo(32, 24))
    with pytest.raises(pytest.fail.Exception) as failure:
        keeper(tmp_path).exact(photo(32, 24, seed=1))
    golden = tmp_path / "expected/test_crop/test_a_crop_left_top.png"
    actual = tmp_path / "actual/test_a_crop_left_top.png"
    command = f"python -m pixtools.testing.compare {golden} {actual}"
    assert command in str(failure.value)
    with Image.open(actual) as image:
        assert np.array_equal(np.asarray(image), photo(32, 24, seed=1))


def test_large_and_deep_pictures_are_kept_as_a_hash(tmp_path: Path) -> None:
    deep = photo(32, 24).astype("u2") * 257
    large = photo(320, 240)
    keeper(tmp_path, accept=True).exact(deep)
    keeper(tmp_path, accept=True).exact(large, "large")
    stored = sorted(path.name for path in (tmp_path / "expected/test_crop").iterdir())
    assert stored == ["test_a_crop_left_top-large.hash", "test_a_crop_left_top.hash"]
    keeper(tmp_path).exact(deep)
    with pytest.raises(pytest.fail.Exception, match="Expected pixels"):
        keeper(tmp_path).exact(deep + np.uint16(1))


def test_a_close_picture_passes_and_a_far_one_fails(tmp_path: Path) -> None:
    pixels = photo(64, 48)
    keeper(tmp_path, accept=True).close(pixels)
    keeper(tmp_path).close(nudged(pixels, 2))
    with pytest.raises(pytest.fail.Exception, match="dB from its golden"):
        keeper(tmp_path).close(nudged(pixels, 12))
    with pytest.raises(pytest.fail.Exception, match="Expected a picture of"):
        keeper(tmp_path).close(pixels[:-1])
    with pytest.raises(pytest.fail.Exception, match="shrink it"):
        keeper(tmp_path).close(photo(320, 240))


def test_accepting_leaves_a_right_golden_as_it_is(tmp_path: Path) -> None:
    keeper(tmp_path, accept=True).close(photo(64, 48))
    golden = tmp_path / "expected/test_crop/test_a_crop_left_top.png"
    before = golden.read_bytes()
    keeper(tmp_path, accept=True).close(nudged(photo(64, 48), 1))
    assert golden.read_bytes() == before
    keeper(tmp_path, accept=True).close(nudged(photo(64, 48), 40))
    assert golden.read_bytes() != before


def test_two_pictures_of_a_test_need_two_labels(tmp_path: Path) -> None:
    golden = keeper(tmp_path, accept=True)
    golden.exact(photo(8, 8))
    with pytest.raises(pytest.fail.Exception, match="label of its own"):
        golden.exact(photo(8, 8))


def test_ci_never_accepts() -> None:
    assert not accepting({})
    assert accepting({ACCEPT: "1"})
    with pytest.raises(pytest.UsageError, match="unset PIXTOOLS_ACCEPT_GOLDENS"):
        accepting({ACCEPT: "1", "CI": "true"})
