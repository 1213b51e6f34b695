"""What a source's header says: its format by content, its size, its colours."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pyvips

from pixtools.domain.errors import (
    EmptyFile,
    ImageTooLarge,
    TooManyFrames,
    UnsupportedFormat,
    UploadTooLarge,
)
from pixtools.domain.limits import Limits
from pixtools.domain.report import SourceFacts
from pixtools.engine.faults import source_fault
from pixtools.engine.icc import PROFILE, profile_name
from pixtools.engine.vips import TROUBLE, begin, said

LOADERS: Final = {
    "jpg": "jpegload",
    "png": "pngload",
    "webp": "webpload",
    "avif": "heifload",
    "heic": "heifload",
    "tiff": "tiffload",
    "gif": "gifload",
}

_SIGNATURES = (
    (b"\xff\xd8\xff", "jpg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
)
_CODECS = {"av1": "avif", "hevc": "heic"}
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}


def probe(source: Path, limits: Limits | None = None) -> SourceFacts:
    """Read a source's header and hold it against the limits; decodes nothing.

    Raises EmptyFile, UploadTooLarge, UnsupportedFormat, CorruptImage,
    TruncatedImage, or ImageTooLarge (its sides, or the pixels of one frame).
    """
    limits = limits or Limits()
    begin()
    format = _format_of(source, limits)
    facts = _facts(source, format)
    if facts.format == "heic":
        from pixtools.engine.heic import require_decoder

        require_decoder()
    _check_size(facts, limits)
    return facts


def open_header(source: Path, format: str, **options: object) -> pyvips.Image:
    """Open a source lazily with its format's loader; raises a SourceError."""
    loader = getattr(pyvips.Image, LOADERS[format])
    # libtiff reads what is missing as black, unless told to mind every error.
    fail_on = "error" if format == "tiff" else "truncated"
    try:
        return loader(str(source), access="sequential", fail_on=fail_on, **options)
    except TROUBLE as error:
        raise source_fault(said(error), source, format) from error


def sniff(head: bytes) -> str | None:
    """The format that a file's first 64 bytes show, or None if it is none of ours."""
    for signature, format in _SIGNATURES:
        if head.startswith(signature):
            return format
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp":
        size = min(int.from_bytes(head[:4], "big"), len(head))
        brands = {head[at : at + 4] for at in (8, *range(16, size - 3, 4))}
        if brands & _AVIF_BRANDS:
            return "avif"
        if brands & _HEIC_BRANDS:
            return "heic"
    return None


def _format_of(source: Path, limits: Limits) -> str:
    size = source.stat().st_size
    if not size:
        raise EmptyFile
    if size > limits.max_upload_bytes:
        raise UploadTooLarge(
            f"Expected at most {limits.max_upload_bytes} bytes but received {size}."
        )
    with source.open("rb") as file:
        format = sniff(file.read(64))
    if format is None:
        raise UnsupportedFormat(
            "Expected a JPEG, PNG, WebP, AVIF, HEIC, TIFF or GIF image "
            "but received a file of another kind."
        )
    return format


def _facts(source: Path, format: str) -> SourceFacts:
    image = open_header(source, format)
    try:
        return facts_of(image, _by_codec(image, format))
    except TROUBLE as error:
        raise source_fault(said(error), source, format) from error


def _by_codec(image: pyvips.Image, format: str) -> str:
    """HEIC and AVIF share a container; what is inside decides, not the brand."""
    if LOADERS[format] != "heifload":
        return format
    codec = str(image.get("heif-compression"))
    if codec not in _CODECS:
        raise UnsupportedFormat(
            f"Expected AV1 or HEVC inside the HEIF container but received {codec}."
        )
    return _CODECS[codec]


def facts_of(image: pyvips.Image, format: str) -> SourceFacts:
    """Turn an opened header into facts."""
    return SourceFacts(
        format=format,
        width=image.width,
        height=image.height,
        pages=max(1, _number(image, "n-pages", 1)),
        orientation=_orientation(image),
        has_alpha=bool(image.hasalpha()),
        color_space=str(image.interpretation),
        bits=_bits(image),
        icc_profile=_profile(image),
        interlaced=bool(_number(image, "interlaced", 0)),
    )


def _check_size(facts: SourceFacts, limits: Limits) -> None:
    if max(facts.width, facts.height) > limits.max_side:
        raise ImageTooLarge(
            f"Expected sides of at most {limits.max_side} pixels "
            f"but received {facts.width} × {facts.height}."
        )
    check_frames(facts, 1, limits)


def check_frames(facts: SourceFacts, frames: int, limits: Limits) -> None:
    """Raise TooManyFrames, or ImageTooLarge where they have too many pixels."""
    if frames > limits.max_frames:
        raise TooManyFrames(
            f"Expected at most {limits.max_frames} frames but received {frames}."
        )
    pixels = facts.width * facts.height * frames
    if pixels > limits.max_pixels:
        times = f" × {frames} frames" if frames > 1 else ""
        raise ImageTooLarge(
            f"Expected at most {limits.max_pixels} pixels "
            f"but received {facts.width} × {facts.height}{times} = {pixels}."
        )


def _number(image: pyvips.Image, name: str, default: int) -> int:
    if not image.get_typeof(name):
        return default
    value = image.get(name)
    return value if isinstance(value, int) else default


def _orientation(image: pyvips.Image) -> int:
    orientation = _number(image, "orientation", 1)
    return orientation if 1 <= orientation <= 8 else 1


def _bits(image: pyvips.Image) -> int:
    stored = {"uchar": 8, "char": 8, "ushort": 16, "short": 16}.get(image.format, 32)
    return _number(image, "bits-per-sample", stored)


def _profile(image: pyvips.Image) -> str | None:
    if not image.get_typeof(PROFILE):
        return None
    return profile_name(image.get(PROFILE)) or "unnamed"
