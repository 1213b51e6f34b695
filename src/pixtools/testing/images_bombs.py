"""Small files that grow when opened, or claim that they would."""

from __future__ import annotations

import struct

from pixtools.testing.images_formats import AVIFS, JPEGS, PNGS, WEBPS
from pixtools.testing.images_tiff import tiff_image
from pixtools.testing.jpeg_structure import frame_size_claimed
from pixtools.testing.libraries import np
from pixtools.testing.png_structure import (
    SIGNATURE,
    header_chunk,
    png_chunk,
    zeros_deflated,
)
from pixtools.testing.tiff_structure import (
    Chunks,
    Directory,
    longs,
    shorts,
    tiff_structure,
)

__all__ = [
    "avif_claiming_much",
    "gif_claiming_much",
    "gif_of_frames",
    "jpeg_claiming_much",
    "jpeg_of_scans",
    "jpeg_without_size",
    "png_bomb",
    "png_claiming_most",
    "png_profile_bomb",
    "png_text_bomb",
    "png_without_size",
    "tiff_bomb",
    "tiff_claiming_much",
    "webp_claiming_much",
]

_END = png_chunk(b"IEND", b"")
_METADATA_BYTES = 200_000_000


def png_bomb(width: int = 50_000, height: int = 50_000, *, bands: int = 1) -> bytes:
    """Make a valid black PNG of any size; `bands` is 1 (grey) or 3 (RGB).

    The default inflates to 2.5 GB from 2.4 MB.
    """
    header = header_chunk(width, height, 8, 0 if bands == 1 else 2)
    pixels = zeros_deflated(height * (width * bands + 1))
    return SIGNATURE + header + png_chunk(b"IDAT", pixels) + _END


def png_claiming_most() -> bytes:
    """Make a PNG whose header claims the largest sides that PNG knows."""
    return SIGNATURE + header_chunk(2**31 - 1, 2**31 - 1) + PNGS["rgb"]()[33:]


def png_without_size() -> bytes:
    """Make a PNG of no pixels, which PNG forbids."""
    return SIGNATURE + header_chunk(0, 0) + png_chunk(b"IDAT", zeros_deflated(0)) + _END


def png_text_bomb() -> bytes:
    """Put 200 MB of compressed text into a small PNG's zTXt."""
    return _with_chunk(b"zTXt", b"bomb\0\0" + zeros_deflated(_METADATA_BYTES))


def png_profile_bomb() -> bytes:
    """Put 200 MB of compressed zeros into a small PNG as its colour profile."""
    return _with_chunk(b"iCCP", b"bomb\0\0" + zeros_deflated(_METADATA_BYTES))


def jpeg_claiming_much() -> bytes:
    """Let a small JPEG claim 65,500 x 65,500 pixels."""
    return frame_size_claimed(JPEGS["baseline"](), 65_500, 65_500)


def jpeg_without_size() -> bytes:
    """Let a JPEG claim no pixels."""
    return frame_size_claimed(JPEGS["baseline"](), 0, 0)


def jpeg_of_scans(scans: int = 2000) -> bytes:
    """Repeat the last scan of a progressive JPEG: each costs a walk over the image."""
    jpeg = JPEGS["progressive"]()
    last, end = jpeg.rindex(b"\xff\xda"), jpeg.rindex(b"\xff\xd9")
    return jpeg[:last] + jpeg[last:end] * scans + jpeg[end:]


def gif_of_frames(frames: int = 5000, side: int = 1) -> bytes:
    """Make a GIF of many frames, each one pixel on a canvas of `side` x `side`."""
    colours = bytes([255, 255, 255, 200, 30, 30])
    head = b"GIF89a" + struct.pack("<HHBBB", side, side, 0x80, 0, 0) + colours
    control = b"\x21\xf9\x04\x00\x04\x00\x00\x00"
    pixel = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x4c\x01\x00"
    return head + (control + pixel) * frames + b"\x3b"


def gif_claiming_much() -> bytes:
    """Make a GIF of one pixel that claims a canvas of 65,535 x 65,535.

    Some readers believe it; libnsgif, and libvips with it, trusts the frame's size.
    """
    return gif_of_frames(1, 65_535)


def webp_claiming_much() -> bytes:
    """Let a small WebP claim a canvas of 16,383 x 16,383."""
    webp = bytearray(WEBPS["animated"]())
    place = webp.index(b"VP8X") + 12
    webp[place : place + 6] = (16_382).to_bytes(3, "little") * 2
    return bytes(webp)


def avif_claiming_much() -> bytes:
    """Let a small AVIF claim 60,000 x 60,000 pixels in its ispe box."""
    avif = bytearray(AVIFS["8-bit"]())
    place = avif.index(b"ispe") + 8
    avif[place : place + 8] = struct.pack(">II", 60_000, 60_000)
    return bytes(avif)


def tiff_bomb(side: int = 50_000) -> bytes:
    """Make a grey TIFF of one deflated strip that inflates to `side` squared bytes."""
    strip = zeros_deflated(side * side)
    return tiff_structure(
        [
            {
                0x0100: longs(side),
                0x0101: longs(side),
                0x0102: shorts(8),
                0x0103: shorts(8),
                0x0106: shorts(1),
                0x0111: Chunks((strip,)),
                0x0115: shorts(1),
                0x0116: longs(side),
                0x0117: longs(len(strip)),
            }
        ]
    )


def tiff_claiming_much() -> bytes:
    """Let a TIFF of one strip claim 100,000 rows and columns."""
    page: Directory = {0x0100: longs(100_000), 0x0101: longs(100_000)}
    return tiff_image([np.zeros((16, 16), "u1")], extra=page)


def _with_chunk(kind: bytes, content: bytes) -> bytes:
    png = PNGS["rgb"]()
    return png[:33] + png_chunk(kind, content) + png[33:]
