"""A file's kind and size, read from its first bytes."""

from __future__ import annotations

import io
import struct
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings, strategies as st

from pixtools.domain.catalogue import STANDARD
from pixtools.domain.errors import (
    CorruptImage,
    EmptyFile,
    ImageTooLarge,
    SourceError,
    TruncatedImage,
    UnsupportedFormat,
)
from pixtools.domain.limits import Limits
from pixtools.jobs.header import Header, read_header
from pixtools.testing.images import CHART_SIZE

LIMITS = Limits()
WITH_HEIC = replace(STANDARD, readable=STANDARD.readable | {"heic"})

KNOWN_STARTS = (
    b"\xff\xd8\xff\xe1\x20\x00Exif\x00\x00MM\x00*\x00\x00\x00\x08\xff\xff",
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    b"GIF89a",
    b"RIFF\x00\x00\x00\x00WEBPVP8 ",
    b"RIFF\x00\x00\x00\x00WEBPVP8X",
    b"II*\x00\x08\x00\x00\x00\xff\xff",
    b"MM\x00*\x00\x00\x00\x08",
    b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1miaf\x00\x00\x10\x00meta",
    b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic\x7f\xff\xff\xffmeta",
)


def whole(data: bytes, limits: Limits = LIMITS) -> Header:
    return read_header(data, limits, WITH_HEIC, complete=True)


def test_every_kind_of_source_is_told_by_its_content(
    sources: dict[str, Path],
) -> None:
    """Format and upright size stand in the first bytes, whatever the file's name."""
    from pixtools.testing.libraries import Image

    for name, path in sources.items():
        header = whole(path.read_bytes())
        if header.format != "heic":
            with Image.open(path) as image:
                sides = sorted(image.size)
            assert sorted((header.width, header.height)) == sides, name


def test_a_turned_source_is_measured_upright(sources: dict[str, Path]) -> None:
    """Where the orientation stands in front: JPEG, TIFF, AVIF and HEIC."""
    turned = [
        (name, path)
        for name, path in sources.items()
        if "orientation" in name and path.suffix in {".jpg", ".tif", ".avif", ".heic"}
    ]
    assert len(turned) >= 20
    for name, path in turned:
        header = whole(path.read_bytes())
        assert (header.width, header.height) == CHART_SIZE, name


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"Dear sir, this is no image. " * 9, "text"),
        ("Grüße ".encode() * 40, "text"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>    ', "SVG"),
        (b"%PDF-1.7" + bytes(99), "application/pdf"),
        (b"PK\x03\x04" + bytes(99), "application/zip"),
        (b"BM" + bytes(99), "image/bmp"),
        (bytes(99), "a file of unknown kind"),
    ],
)
def test_what_is_no_accepted_image_is_named(data: bytes, said: str) -> None:
    with pytest.raises(UnsupportedFormat) as refused:
        whole(data)
    assert refused.value.detail.endswith(f"but received {said}.")


def test_an_empty_file_is_empty() -> None:
    with pytest.raises(EmptyFile):
        whole(b"")


def test_heic_without_the_extra_names_the_extra(sources: dict[str, Path]) -> None:
    heic = next(p for p in sources.values() if p.suffix == ".heic").read_bytes()
    assert whole(heic).format == "heic"
    with pytest.raises(UnsupportedFormat) as refused:
        read_header(heic, LIMITS, STANDARD, complete=True)
    assert "pixtools[heic]" in refused.value.detail


def test_a_turned_photo_is_measured_upright() -> None:
    """EXIF orientation 6 lies on its side: width and height change places."""
    exif = b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00"
    exif += struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0) + bytes(4)
    app1 = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    frame = b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", 100, 200) + b"\x03" + bytes(9)
    header = whole(b"\xff\xd8" + app1 + frame + bytes(64))
    assert header.orientation == 6
    assert (header.width, header.height) == (100, 200)


@pytest.mark.parametrize(
    "limits", [Limits(max_pixels=160 * 112 - 1), Limits(max_side=159)]
)
def test_too_large_is_refused_by_the_header(limits: Limits) -> None:
    gif = b"GIF89a" + struct.pack("<HH", 160, 112) + bytes(64)
    assert whole(gif).width == 160
    with pytest.raises(ImageTooLarge) as refused:
        whole(gif, limits)
    assert "160 × 112" in refused.value.detail


def test_sizes_beyond_a_signed_number_are_read() -> None:
    """A GIF of 40,000 pixels is large, not negative."""
    gif = b"GIF89a" + struct.pack("<HH", 40_000, 2) + bytes(64)
    assert whole(gif).width == 40_000
    largest = b"GIF89a" + b"\xff" * 4 + bytes(64)
    with pytest.raises(ImageTooLarge):
        whole(largest)


def test_bits_that_scale_a_webp_are_not_its_size() -> None:
    head = b"RIFF\x00\x00\x00\x00WEBPVP8 " + bytes(10)
    webp = head + struct.pack("<HH", 300 | 0x4000, 200 | 0x8000) + bytes(64)
    assert (whole(webp).width, whole(webp).height) == (300, 200)


@pytest.mark.parametrize("cut", [64, 300])
def test_an_image_that_ends_in_its_header_is_truncated(cut: int) -> None:
    jpeg = b"\xff\xd8" + b"\xff\xe0\x01\x00" + bytes(254) + b"\xff\xe0\x04\x00"
    with pytest.raises(TruncatedImage):
        whole(jpeg[:cut].ljust(64, b"\x00") if cut == 64 else jpeg + bytes(40))


def test_a_size_of_nothing_is_corrupt() -> None:
    with pytest.raises(CorruptImage):
        whole(b"GIF89a" + bytes(99))


def test_more_bytes_are_asked_for_until_the_header_is_there(
    sources: dict[str, Path],
) -> None:
    """Every prefix says the same as the whole, or that it does not suffice."""
    for name, path in sources.items():
        data = path.read_bytes()
        answers = {
            read_header(data[:size], LIMITS, WITH_HEIC, complete=False)
            for size in (0, 10, 63, 64, 100, 300, 900, 5_000, len(data))
        }
        sizes = {(a.format, a.width, a.height) for a in answers if a}
        assert len(sizes) == 1, name
        assert None in answers, name


def test_a_file_is_read_from_its_start_wherever_it_stands() -> None:
    file = io.BytesIO(b"GIF89a" + struct.pack("<HH", 7, 5) + bytes(64))
    file.seek(40)
    assert read_header(file, LIMITS, STANDARD, complete=True).width == 7


@given(st.binary(max_size=4096), st.sampled_from((b"", *KNOWN_STARTS)), st.booleans())
@example(b"\xff\xe1\x20\x00Exif\x00\x00MM\x00*\x00\x00\x00\x08\xff\xff" * 9, b"", True)
@settings(max_examples=300)
def test_any_bytes_give_a_header_or_a_named_error(
    tail: bytes, start: bytes, complete: bool
) -> None:
    """Never another exception, and never an answer outside of the limits."""
    try:
        header = read_header(start + tail, LIMITS, WITH_HEIC, complete=complete)
    except SourceError:
        return
    if header is None:
        assert not complete
        return
    assert 0 < header.width * header.height <= LIMITS.max_pixels
    assert 1 <= header.orientation <= 8


def _boxes() -> bytes:
    """An AVIF whose lists claim more entries than any file has."""

    def box(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body) + 8) + kind + body

    lists = box(b"iloc", b"\x01\x00\x00\x00\x00\x00" + b"\xff" * 60_000)
    associations = box(b"ipma", bytes(4) + b"\xff" * 60_000)
    properties = box(b"iprp", box(b"ipco", box(b"free", b"") * 5_000) + associations)
    primary = box(b"pitm", bytes(4) + b"\x00\x01")
    return KNOWN_STARTS[7][:28] + box(b"meta", bytes(4) + primary + lists + properties)


HOSTILE = {
    "endless markers": b"\xff\xd8\xff\xe0\x00\x02" * 200_000,
    "no marker at all": b"\xff\xd8\xff\xe0\x00\x02" + bytes(1_000_000),
    "nothing but EXIF": KNOWN_STARTS[0].ljust(8194, b"\x01") * 100,
    "endless directory": KNOWN_STARTS[5] + b"\x01" * 1_000_000,
    "endless boxes": KNOWN_STARTS[7][:28] + b"\x00\x00\x00\x08free" * 100_000,
    "endless lists": _boxes(),
    "text in capitals": b"A" * 1_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_headers_cost_little(name: str) -> None:
    """A few milliseconds of processor time (ten times that here, for a busy machine)."""
    data = HOSTILE[name]
    with pytest.raises(SourceError):
        whole(data)
    best = min(_seconds(data) for _ in range(5))
    assert best < 0.05


def _seconds(data: bytes) -> float:
    begun = time.thread_time()
    with pytest.raises(SourceError):
        whole(data)
    return time.thread_time() - begun
