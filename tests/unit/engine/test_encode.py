"""How outputs are written: defaults, budgets of bytes, and the source's own bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, strategies as st
from PIL import Image
from tests.plans import made, output, plan

from pixtools.domain.errors import MaxBytesUnreachable
from pixtools.engine import render
from pixtools.engine.encode import best_quality
from pixtools.engine.keep_source import is_plain
from pixtools.testing.compare import pixels_of
from pixtools.testing.images import photo_jpeg, with_orientation
from pixtools.testing.images_colour import tagged_chart
from pixtools.testing.images_exif import exif_blob, xmp_blob
from pixtools.testing.images_formats import GIFS, JPEGS, PNGS, WEBPS, saved, small_photo
from pixtools.testing.jpeg_structure import APP1, with_segment
from pixtools.testing.png_structure import png_chunk, png_file


class Encoder:
    """Writes as many bytes at each quality as it is told to; counts its calls."""

    def __init__(self, sizes: dict[int, int]) -> None:
        self.sizes = sizes
        self.calls: list[int] = []

    def __call__(self, quality: int | None) -> int:
        assert quality is not None
        self.calls.append(quality)
        return self.sizes[quality]


@given(st.lists(st.integers(1, 10**6), min_size=100, max_size=100), st.data())
def test_the_best_quality_that_fits_is_found_in_eight_writes(
    sizes: list[int], data: st.DataObject
) -> None:
    growing = dict(enumerate(sorted(sizes), 1))
    asked = data.draw(st.integers(1, 100))
    limit = data.draw(st.integers(growing[1], 10**6))
    encoder = Encoder(growing)
    found = best_quality(encoder, asked, limit)
    assert found == max(q for q in range(1, asked + 1) if growing[q] <= limit)
    assert len(encoder.calls) <= 8


def test_a_budget_below_the_lowest_quality_is_refused_with_its_size() -> None:
    encoder = Encoder({quality: 1000 + quality for quality in range(1, 101)})
    with pytest.raises(MaxBytesUnreachable, match=r"at most 900 bytes .* takes 1001"):
        best_quality(encoder, 80, 900)


@pytest.mark.parametrize("format", ["jpg", "webp", "avif"])
def test_max_bytes_is_kept_at_the_best_quality(tmp_path: Path, format: str) -> None:
    source = tmp_path / "photo.png"
    source.write_bytes(png_file(small_photo()))
    effort = {} if format == "jpg" else {"effort": 0}
    whole, _ = made(source, tmp_path, format, **effort)
    limit = whole.bytes * 3 // 5
    facts, file = made(source, tmp_path, format, max_bytes=limit, **effort)
    assert facts.bytes == file.stat().st_size <= limit
    assert facts.quality is not None
    assert 1 <= facts.quality < (whole.quality or 0)
    better, _ = made(source, tmp_path, format, quality=facts.quality + 1, **effort)
    assert better.bytes > limit


def test_a_generous_budget_changes_nothing(tmp_path: Path) -> None:
    source = tmp_path / "photo.png"
    source.write_bytes(png_file(small_photo()))
    _, file = made(source, tmp_path, "jpg")
    expected = file.read_bytes()
    facts, file = made(source, tmp_path, "jpg", max_bytes=10**6)
    assert file.read_bytes() == expected
    assert facts.quality == 80


def test_effort_makes_files_smaller(tmp_path: Path) -> None:
    source = photo_jpeg(tmp_path / "photo.jpg", 300, 200)
    for format, low, high in (("png", 1, 9), ("webp", 0, 6)):
        quick, _ = made(source, tmp_path, format, effort=low)
        thorough, _ = made(source, tmp_path, format, effort=high)
        assert thorough.bytes < quick.bytes


def test_quality_is_told_only_where_there_is_one(tmp_path: Path) -> None:
    source = photo_jpeg(tmp_path / "photo.jpg", 60, 40)
    told = {f: made(source, tmp_path, f)[0].quality for f in ("jpg", "webp", "avif")}
    assert told == {"jpg": 80, "webp": 80, "avif": 63}
    assert made(source, tmp_path, "png")[0].quality is None
    assert made(source, tmp_path, "webp", lossless=True)[0].quality is None


def test_tiff_is_deflated(tmp_path: Path) -> None:
    source = photo_jpeg(tmp_path / "photo.jpg", 60, 40)
    _, file = made(source, tmp_path, "tiff")
    with Image.open(file) as image:
        assert image.info["compression"] == "tiff_adobe_deflate"


class TestNeverLarger:
    """The source's bytes stay where a new file would be larger and nothing is lost."""

    def poor(self, tmp_path: Path) -> Path:
        source = tmp_path / "poor.jpg"
        source.write_bytes(saved(Image.fromarray(small_photo()), "JPEG", quality=20))
        return source

    def test_the_source_is_kept_where_the_result_would_be_larger(
        self, tmp_path: Path
    ) -> None:
        source = self.poor(tmp_path)
        facts, file = made(source, tmp_path, "jpg", quality=95, never_larger=True)
        assert file.read_bytes() == source.read_bytes()
        assert facts.kept_source
        assert facts.quality is None
        assert facts.bytes == source.stat().st_size

    def test_a_smaller_result_is_taken(self, tmp_path: Path) -> None:
        source = tmp_path / "rich.jpg"
        source.write_bytes(JPEGS["4-4-4"]())
        facts, _ = made(source, tmp_path, "jpg", quality=30, never_larger=True)
        assert not facts.kept_source
        assert facts.bytes < source.stat().st_size

    def test_it_has_to_be_asked_for(self, tmp_path: Path) -> None:
        facts, _ = made(self.poor(tmp_path), tmp_path, "jpg", quality=95)
        assert not facts.kept_source

    @pytest.mark.parametrize(
        "options", [{"width": 60}, {"format": "webp"}, {"format": "png"}]
    )
    def test_another_size_or_format_is_made(
        self, tmp_path: Path, options: dict[str, object]
    ) -> None:
        asked = {"format": "jpg", "never_larger": True, **options}
        report = render(self.poor(tmp_path), plan(output(**asked)), tmp_path)  # type: ignore[arg-type]  # parametrized
        assert not report.outputs[0].kept_source

    @pytest.mark.parametrize(
        "extra",
        [
            b"Exif\0\0" + exif_blob(gps=(1.0, 2.0, None)),
            b"http://ns.adobe.com/xap/1.0/\0" + xmp_blob(),
        ],
    )
    def test_private_metadata_is_never_kept_that_way(
        self, tmp_path: Path, extra: bytes
    ) -> None:
        plain = self.poor(tmp_path).read_bytes()
        source = tmp_path / "private.jpg"
        source.write_bytes(with_segment(plain, APP1, extra))
        facts, _ = made(source, tmp_path, "jpg", quality=95, never_larger=True)
        assert not facts.kept_source
        facts, _ = made(
            source, tmp_path, "jpg", quality=95, never_larger=True, keep_metadata="all"
        )
        assert facts.kept_source

    def test_what_hides_behind_the_end_is_never_kept(self, tmp_path: Path) -> None:
        """Phones hang a film behind the picture."""
        source = tmp_path / "motion.jpg"
        source.write_bytes(self.poor(tmp_path).read_bytes() + b"a film")
        facts, _ = made(source, tmp_path, "jpg", quality=95, never_larger=True)
        assert not facts.kept_source

    def test_other_colours_and_other_ways_up_are_made(self, tmp_path: Path) -> None:
        for source in (
            tagged_chart(tmp_path / "p3.jpg", "display-p3"),
            with_orientation(tmp_path / "mirrored.jpg", 3),
        ):
            facts, _ = made(source, tmp_path, "jpg", quality=100, never_larger=True)
            assert not facts.kept_source

    @pytest.mark.parametrize("format", ["png", "webp"])
    def test_png_and_webp_are_kept_too(self, tmp_path: Path, format: str) -> None:
        source = tmp_path / f"small.{format}"
        picture = Image.fromarray(small_photo())
        small = {
            "png": lambda: saved(picture.quantize(4), "PNG", optimize=True),
            "webp": lambda: saved(picture, "WEBP", quality=5, method=6),
        }
        source.write_bytes(small[format]())
        facts, file = made(source, tmp_path, format, never_larger=True)
        assert facts.kept_source
        assert file.read_bytes() == source.read_bytes()


@pytest.mark.parametrize(
    ("format", "make", "plain"),
    [
        ("jpg", JPEGS["baseline"], True),
        ("jpg", JPEGS["progressive"], True),
        ("jpg", JPEGS["restarts"], True),
        ("jpg", lambda: with_segment(JPEGS["baseline"](), 0xFE, b"a comment"), False),
        ("jpg", lambda: with_segment(JPEGS["baseline"](), 0xE2, b"MPF\0more"), False),
        ("jpg", lambda: JPEGS["baseline"]()[:-2], False),
        ("png", PNGS["rgb"], True),
        ("png", PNGS["palette-transparent"], True),
        ("png", PNGS["animated"], False),
        (
            "png",
            lambda: png_file(small_photo(), chunks=[png_chunk(b"tEXt", b"a\0b")]),
            False,
        ),
        ("webp", WEBPS["lossy"], True),
        ("webp", WEBPS["rgba"], True),
        ("webp", lambda: saved(Image.new("RGB", (9, 9)), "WEBP", exif=b"x"), False),
        ("webp", lambda: WEBPS["lossy"]() + b"more", False),
        ("gif", GIFS["still"], False),
    ],
)
def test_a_plain_file_holds_its_picture_and_nothing_else(
    tmp_path: Path, format: str, make: object, plain: bool
) -> None:
    path = tmp_path / "file"
    assert callable(make)
    path.write_bytes(make())
    assert is_plain(path, format) is plain


def test_a_picture_with_one_band_more_than_it_should_is_read(tmp_path: Path) -> None:
    import pyvips

    source = tmp_path / "bands.tif"
    pyvips.Image.black(20, 10, bands=7).tiffsave(str(source))
    _, file = made(source, tmp_path, "jpg")
    assert pixels_of(file).shape == (10, 20, 3)
