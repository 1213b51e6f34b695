"""Write PNG files chunk by chunk, in every depth and colour type (PNG, third edition).

Pillow writes no 16-bit colour, no Adam7 and no wrong file; tests need all three.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable

from pixtools.testing.libraries import NDArray, Pixels, np

__all__ = ["SIGNATURE", "header_chunk", "png_chunk", "png_file", "zeros_deflated"]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
_COLOUR_TYPES = {1: GREY, 2: GREY_ALPHA, 3: RGB, 4: RGBA}
_ADAM7 = (
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4),
    (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2),
)  # fmt: skip
"""First column, first row, step across and step down of each interlace pass."""

_BLOCK = 1 << 20


def png_file(
    samples: Pixels | NDArray[np.uint16],
    *,
    bits: int | None = None,
    palette: Pixels | None = None,
    interlaced: bool = False,
    chunks: Iterable[bytes] = (),
) -> bytes:
    """Encode samples of (height, width) or (height, width, bands 1 to 4).

    The depth is that of the array, or `bits` (1, 2, 4) for one band. `palette` is
    (entries, 3), and the samples then are indices. `chunks` go before the pixels.
    """
    image = samples[..., None] if samples.ndim == 2 else samples
    height, width, bands = image.shape
    depth = bits or image.dtype.itemsize * 8
    colour = _COLOUR_TYPES[bands] if palette is None else PALETTE
    parts = [SIGNATURE, header_chunk(width, height, depth, colour, interlaced)]
    parts += chunks if palette is None else ()
    if palette is not None:
        parts += [png_chunk(b"PLTE", palette.tobytes()), *chunks]
    passes = _passes(image) if interlaced else [image]
    rows = b"".join(_filtered(part, depth) for part in passes)
    parts += [png_chunk(b"IDAT", zlib.compress(rows, 6)), png_chunk(b"IEND", b"")]
    return b"".join(parts)


def header_chunk(
    width: int, height: int, bits: int = 8, colour: int = RGB, interlaced: bool = False
) -> bytes:
    """Make the IHDR chunk; nothing is checked."""
    fields = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlaced)
    return png_chunk(b"IHDR", fields)


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """Frame a chunk with its length and checksum."""
    checksum = zlib.crc32(kind + content)
    return (
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)
    )


def zeros_deflated(length: int) -> bytes:
    """Make the zlib stream of `length` zero bytes at once, however many they are.

    One block of a mebibyte is deflated and repeated, which a full flush allows; the
    checksum of zeros is known without walking over them.
    """
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(_BLOCK)) + packer.flush(zlib.Z_FULL_FLUSH)
    tail = packer.compress(bytes(length % _BLOCK)) + packer.flush(zlib.Z_FINISH)
    checksum = (length % 65521) << 16 | 1
    return b"\x78\xda" + block * (length // _BLOCK) + tail + struct.pack(">I", checksum)


def _passes(image: NDArray[np.generic]) -> list[NDArray[np.generic]]:
    cut = (image[y::down, x::across] for x, y, across, down in _ADAM7)
    return [part for part in cut if part.size]


def _filtered(image: NDArray[np.generic], bits: int) -> bytes:
    """Pack the samples of every row, behind filter type 0."""
    height = image.shape[0]
    if bits < 8:
        planes = np.unpackbits(image.astype("u1"), axis=2)[..., 8 - bits :]
        packed = np.packbits(planes.reshape(height, -1), axis=1)
    else:
        wide = image.astype(">u2" if bits == 16 else "u1")
        packed = np.ascontiguousarray(wide).view("u1").reshape(height, -1)
    return np.pad(packed, ((0, 0), (1, 0))).tobytes()
