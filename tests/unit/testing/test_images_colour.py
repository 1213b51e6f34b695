"""Little CMS, through Pillow, reads the charts back: it shares no code with them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from pixtools.testing.images_colour import (
    CHART,
    CMYK_CHART,
    GREY_CHART,
    SPACES,
    Marker,
    chart,
    chart_16_bit,
    cmyk_jpeg,
    grey_chart,
    patches,
    press_profile,
    tagged_chart,
)
from pixtools.testing.images_icc import SRGB, lab_of_srgb, rgb_profile


def shown(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Convert to sRGB by the file's own profile and read the patches."""
    with Image.open(path) as image:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        srgb = ImageCms.createProfile("sRGB")
        out = ImageCms.profileToProfile(image, profile, srgb, outputMode="RGB")
    assert out is not None
    return patches(np.asarray(out))


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "avif"])
@pytest.mark.parametrize("space", SPACES)
def test_a_tagged_chart_shows_its_colours(
    tmp_path: Path, space: str, suffix: str
) -> None:
    path = tagged_chart(tmp_path / f"chart.{suffix}", space)
    assert np.abs(shown(path) - CHART).max() <= (
        3 if suffix in {"png", "webp", "tif"} else 6
    )


@pytest.mark.parametrize("space", ["display-p3", "adobe-rgb"])
def test_ignoring_the_profile_shows_in_the_colours(space: str) -> None:
    assert np.abs(patches(chart(SPACES[space])) - CHART).max() > 30


def test_an_untagged_chart_has_no_profile(tmp_path: Path) -> None:
    path = tagged_chart(tmp_path / "bare.png", "display-p3", tagged=False)
    with Image.open(path) as image:
        assert "icc_profile" not in image.info
        assert np.array_equal(np.asarray(image), chart(SPACES["display-p3"]))


def test_sixteen_bits_say_the_same_as_eight() -> None:
    assert np.abs(patches(chart_16_bit()) / 257 - CHART).max() < 0.01


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
def test_a_grey_chart_shows_its_greys(tmp_path: Path, suffix: str) -> None:
    path = grey_chart(tmp_path / f"grey.{suffix}")
    assert np.abs(shown(path)[:, 0] - GREY_CHART).max() <= 2


@pytest.mark.parametrize("marker", ["none", "adobe-cmyk", "adobe-ycck"])
def test_a_cmyk_jpeg_prints_its_colours(tmp_path: Path, marker: Marker) -> None:
    path = cmyk_jpeg(tmp_path / "inks.jpg", marker)
    assert np.abs(shown(path) - CMYK_CHART).max() <= 8


@pytest.mark.parametrize(
    ("marker", "transform"), [("none", None), ("adobe-cmyk", 0), ("adobe-ycck", 2)]
)
def test_a_cmyk_jpeg_is_marked_as_asked(
    tmp_path: Path, marker: Marker, transform: int | None
) -> None:
    path = cmyk_jpeg(tmp_path / "inks.jpg", marker, icc=False)
    with Image.open(path) as image:
        assert image.mode == "CMYK"
        assert image.info.get("adobe_transform") == transform
        assert "icc_profile" not in image.info


def test_srgb_s_matrix_is_the_published_one() -> None:
    """The columns of sRGB's profile, as in the ICC's own sRGB profiles."""
    published = [
        [0.4361, 0.2225, 0.0139],
        [0.3851, 0.7169, 0.0971],
        [0.1431, 0.0606, 0.7141],
    ]
    profile = rgb_profile(SRGB)
    for name, xyz in zip((b"rXYZ", b"gXYZ", b"bXYZ"), published, strict=True):
        entry = profile.index(name)
        offset = int.from_bytes(profile[entry + 4 : entry + 8], "big")
        fixed = np.frombuffer(profile[offset + 8 : offset + 20], ">i4") / 65536
        assert fixed == pytest.approx(xyz, abs=4e-4)


def test_the_profiles_name_their_size_and_kind() -> None:
    for profile, kind in (
        (rgb_profile(SRGB), b"mntrRGB "),
        (press_profile(), b"prtrCMYK"),
    ):
        assert int.from_bytes(profile[:4], "big") == len(profile)
        assert profile[12:20] == kind
        assert profile[36:40] == b"acsp"


def test_lab_of_white_and_of_red() -> None:
    assert lab_of_srgb(np.array([1.0, 1.0, 1.0])) == pytest.approx(
        [100, 0, 0], abs=0.02
    )
    red = lab_of_srgb(np.array([1.0, 0.0, 0.0]))
    assert red == pytest.approx([54.29, 80.82, 69.90], abs=0.2)
