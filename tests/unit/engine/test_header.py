"""What a header says, and what it is refused for, before a pixel is decoded."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.plans import output, plan

from pixtools.domain.errors import (
    EmptyFile,
    ImageTooLarge,
    ImageTooLargeForMemory,
    UnsupportedFormat,
    UploadTooLarge,
)
from pixtools.domain.limits import Limits
from pixtools.engine import probe, render
from pixtools.engine.header import sniff
from pixtools.testing.images_bombs import png_bomb
from pixtools.testing.images_formats import JPEGS, PNGS, WEBPS


def test_a_header_tells_size_and_colours(sources: dict[str, Path]) -> None:
    facts = probe(sources["png-16-bit-rgb"])
    assert (facts.format, facts.width, facts.height) == ("png", 128, 64)
    assert (facts.bits, facts.color_space, facts.has_alpha) == (16, "rgb16", False)
    turned = probe(sources["jpg-orientation-6"])
    assert turned.orientation == 6
    assert turned.upright_size == (turned.height, turned.width)
    assert probe(sources["gif-animated"]).pages == 5
    assert probe(sources["jpg-progressive"]).interlaced
    assert not probe(sources["jpg-baseline"]).interlaced
    assert probe(sources["png-rgba"]).has_alpha
    assert probe(sources["png-1-bit"]).bits == 1
    assert probe(sources["jpg-cmyk-adobe-ycck"]).color_space == "cmyk"
    assert probe(sources["png-display-p3"]).icc_profile == "Display P3"
    assert probe(sources["avif-10-bit"]).bits == 10


def test_content_decides_and_never_the_name(tmp_path: Path) -> None:
    for name, make, format in (
        ("photo.png", JPEGS["baseline"], "jpg"),
        ("photo.jpg", PNGS["rgb"], "png"),
        ("photo", WEBPS["lossy"], "webp"),
        ("photo.jpg[shrink=8]", JPEGS["baseline"], "jpg"),
    ):
        path = tmp_path / name
        path.write_bytes(make())
        assert probe(path).format == format


def test_a_directory_of_any_name_is_no_trouble(tmp_path: Path) -> None:
    odd = tmp_path / "sources [page=1] ünï%20 'x'"
    odd.mkdir()
    path = odd / "a,b[n=-1].jpg"
    path.write_bytes(JPEGS["baseline"]())
    report = render(path, plan(output("jpg"), output("png", id="p")), odd)
    assert report.failures == ()
    assert (odd / "out.jpg").exists()


def test_an_empty_file_is_called_empty(tmp_path: Path) -> None:
    path = tmp_path / "empty.jpg"
    path.touch()
    with pytest.raises(EmptyFile):
        probe(path)


def test_a_file_of_another_kind_is_named_so(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    with pytest.raises(UnsupportedFormat, match="Expected a JPEG, PNG, WebP"):
        probe(path)


def test_heic_without_its_extra_is_refused_by_its_header(
    sources: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pixtools.engine.heic.find_spec", lambda name: None)
    if "heic-8-bit" not in sources:
        pytest.skip("No HEIC can be made here")
    with pytest.raises(UnsupportedFormat, match=r"pixtools\[heic\]"):
        probe(sources["heic-8-bit"])


def test_too_many_bytes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(JPEGS["baseline"]())
    limits = Limits(max_upload_bytes=1000)
    with pytest.raises(UploadTooLarge, match="at most 1000 bytes but received"):
        probe(path, limits)


def test_too_many_pixels_are_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_bomb(20_000, 20_000))
    with pytest.raises(ImageTooLarge, match="20000 × 20000 = 400000000"):
        probe(path)
    with pytest.raises(ImageTooLarge, match="sides of at most 5000"):
        probe(path, Limits(max_side=5000))


def test_a_picture_that_can_never_fit_in_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(JPEGS["progressive"]())
    limits = Limits(memory_budget_bytes=8 * 2**20)
    with pytest.raises(ImageTooLargeForMemory, match="at most 8 MiB of memory"):
        render(path, plan(output("jpg")), tmp_path, limits=limits)


@pytest.mark.parametrize(
    ("head", "format"),
    [
        (b"\xff\xd8\xff\xe0", "jpg"),
        (b"GIF89a", "gif"),
        (b"MM\0+\0\x08\0\0", "tiff"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "webp"),
        (b"RIFF\x10\0\0\0WAVEfmt ", None),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf", "avif"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", "avif"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "heic"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "heic"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp41", None),
        (b"\0\0\0\x0cJXL \r\n\x87\n", None),
        (b"BM", None),
        (b"", None),
    ],
)
def test_a_signature_tells_the_format(head: bytes, format: str | None) -> None:
    assert sniff(head) == format
