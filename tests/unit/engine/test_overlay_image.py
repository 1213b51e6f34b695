"""Image watermarks come from strangers too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import pyvips
from PIL import Image

from pixtools.domain.errors import WatermarkUnusable
from pixtools.domain.plan import Mark
from pixtools.engine.ops.overlay import overlay
from pixtools.engine.vips import open_engine
from pixtools.testing.images import CHART_COLOURS, photo_jpeg, with_orientation

MARK = Mark(image="logo", size=0.5, opacity=1.0, gravity="northwest", margin=0.0)


@pytest.fixture(autouse=True, scope="module")
def _engine() -> None:
    open_engine()


def stamped(logo: Path, mark: Mark = MARK) -> pyvips.Image:
    """The logo on a black picture of 200 × 200."""
    black = pyvips.Image.black(200, 200, bands=3).copy(interpretation="srgb")
    return overlay(black, mark, {"logo": logo})


def test_a_logo_has_its_share_of_the_width_and_its_own_shape(tmp_path: Path) -> None:
    Image.new("RGB", (40, 20), "white").save(tmp_path / "logo.png")
    white = stamped(tmp_path / "logo.png").numpy()[..., 0] > 127
    assert (white.any(axis=0).sum(), white.any(axis=1).sum()) == (100, 50)


def test_a_logo_is_never_taller_than_the_picture(tmp_path: Path) -> None:
    Image.new("RGB", (10, 100), "white").save(tmp_path / "logo.png")
    white = stamped(tmp_path / "logo.png").numpy()[..., 0] > 127
    assert (white.any(axis=0).sum(), white.any(axis=1).sum()) == (20, 200)


def test_a_logo_keeps_its_transparency(tmp_path: Path) -> None:
    logo = Image.new("RGBA", (100, 100), (255, 0, 0, 0))
    logo.paste((0, 255, 0, 255), (50, 0, 100, 100))
    logo.save(tmp_path / "logo.png")
    after = stamped(tmp_path / "logo.png")
    assert after(10, 50) == [0, 0, 0]
    assert after(90, 50) == [0, 255, 0]


def test_opacity_applies_to_a_logo(tmp_path: Path) -> None:
    Image.new("RGB", (10, 10), "white").save(tmp_path / "logo.png")
    half = Mark(image="logo", size=1.0, opacity=0.5)
    assert stamped(tmp_path / "logo.png", half)(100, 100) == [128, 128, 128]


def test_a_turned_logo_is_set_upright(tmp_path: Path) -> None:
    after = stamped(with_orientation(tmp_path / "logo.jpg", 6))
    assert after(5, 5) == pytest.approx(CHART_COLOURS["top_left"], abs=12)
    assert after(95, 5) == pytest.approx(CHART_COLOURS["top_right"], abs=12)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "I;16"])
def test_a_logo_may_have_any_colours(tmp_path: Path, mode: str) -> None:
    suffix = "tif" if mode == "CMYK" else "png"
    path = tmp_path / f"logo.{suffix}"
    Image.new(mode, (20, 20), 1 if mode == "1" else None).save(path)
    assert stamped(path).numpy().shape == (200, 200, 3)


@pytest.mark.parametrize("suffix", ["jpg", "webp", "avif", "gif", "heic"])
def test_a_logo_may_have_any_format_that_is_read(tmp_path: Path, suffix: str) -> None:
    import pillow_heif

    pillow_heif.register_heif_opener()
    Image.new("RGB", (64, 64), "white").save(tmp_path / f"logo.{suffix}")
    after = stamped(tmp_path / f"logo.{suffix}").numpy()
    assert after[50, 50].min() > 240


def test_only_the_first_frame_of_a_moving_logo_counts(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("white", "red")]
    frames[0].save(
        tmp_path / "logo.gif", save_all=True, append_images=frames[1:], duration=100
    )
    assert np.array_equal(stamped(tmp_path / "logo.gif")(50, 50), [255, 255, 255])


def test_a_logo_that_nobody_gave_is_named() -> None:
    black = pyvips.Image.black(20, 20, bands=3).copy(interpretation="srgb")
    with pytest.raises(WatermarkUnusable, match="'logo'"):
        overlay(black, MARK, {})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"text",
        b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>",
        b"\x89PNG\r\n\x1a\nnonsense",
    ],
)
def test_a_logo_that_is_no_image_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "logo").write_bytes(content)
    with pytest.raises(WatermarkUnusable, match="watermark image"):
        stamped(tmp_path / "logo")


def test_a_logo_that_ends_early_is_refused(tmp_path: Path) -> None:
    path = photo_jpeg(tmp_path / "logo.jpg", 200, 200)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(WatermarkUnusable, match="watermark image"):
        stamped(path)


def test_a_logo_that_would_eat_the_memory_is_refused(tmp_path: Path) -> None:
    Image.new("1", (5000, 5000)).save(tmp_path / "logo.png")
    with pytest.raises(WatermarkUnusable, match="pixels"):
        stamped(tmp_path / "logo.png")


def test_a_logo_that_is_gone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WatermarkUnusable, match="can't be read"):
        stamped(tmp_path / "gone.png")
