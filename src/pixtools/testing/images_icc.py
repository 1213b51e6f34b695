"""ICC profiles built from published numbers; no profile file from anywhere.

Primaries and curves: sRGB from IEC 61966-2-1, Display P3 from SMPTE EG 432-1 with the
D65 white and sRGB's curve, Adobe RGB (1998) from its encoding document. White points
are adapted to D50 by the Bradford matrix, as ICC.1:2001-04 (version 2.4) asks.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from pixtools.testing.libraries import NDArray, np

__all__ = [
    "ADOBE_RGB",
    "DISPLAY_P3",
    "GREY_GAMMA",
    "SRGB",
    "RgbSpace",
    "cmyk_profile",
    "grey_profile",
    "lab_of_srgb",
    "rgb_profile",
]

Floats = NDArray[np.float64]
D50 = (0.9642, 1.0, 0.8249)
GREY_GAMMA = 1.8
"""The gamma of the grey profile: far enough from sRGB's to be seen when ignored."""

_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


def _srgb_encoded(linear: Floats) -> Floats:
    low = linear * 12.92
    high = 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, low, high)


def _srgb_linear(encoded: Floats) -> Floats:
    high = ((encoded + 0.055) / 1.055) ** 2.4
    return np.where(encoded <= 0.04045, encoded / 12.92, high)


@dataclass(frozen=True, slots=True)
class RgbSpace:
    """An RGB space: chromaticities of its primaries (D65 white) and its curve.

    `linear` and `encoded` map sample values of 0 to 1 to light and back.
    """

    title: str
    primaries: tuple[tuple[float, float], ...]
    linear: Callable[[Floats], Floats]
    encoded: Callable[[Floats], Floats]

    def to_xyz(self) -> Floats:
        """Return the 3 x 3 matrix from linear RGB to XYZ relative to D65."""
        columns = np.array([_xyz(x, y) for x, y in self.primaries]).T
        gains: Floats = np.linalg.solve(columns, _xyz(0.3127, 0.3290))
        return np.asarray(columns * gains)

    def from_srgb(self, colours: Floats) -> Floats:
        """Convert sRGB sample values (..., 3) of 0 to 1 into this space's."""
        matrix = np.linalg.inv(self.to_xyz()) @ SRGB.to_xyz()
        light = SRGB.linear(colours) @ matrix.T
        return self.encoded(np.clip(light, 0, 1))


def _xyz(x: float, y: float) -> Floats:
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _gamma(exponent: float) -> Callable[[Floats], Floats]:
    return lambda values: values**exponent


SRGB = RgbSpace(
    "sRGB", ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)), _srgb_linear, _srgb_encoded
)
DISPLAY_P3 = RgbSpace(
    "Display P3",
    ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    _srgb_linear,
    _srgb_encoded,
)
ADOBE_RGB = RgbSpace(
    "Adobe RGB (1998)",
    ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)),
    _gamma(563 / 256),
    _gamma(256 / 563),
)


def rgb_profile(space: RgbSpace) -> bytes:
    """Build the matrix and curve profile of a space, version 2.4."""
    matrix = _to_d50() @ space.to_xyz()
    samples = space.linear(np.linspace(0, 1, 1024))
    curve = _curve((samples * 65535).round().astype(int).tolist())
    tags = {b"wtpt": _xyz_tag(D50)}
    for name, column in zip(b"rgb", matrix.T, strict=True):
        tags[bytes([name]) + b"XYZ"] = _xyz_tag(tuple(column))
        tags[bytes([name]) + b"TRC"] = curve
    return _profile(space.title, b"mntrRGB XYZ ", tags)


def grey_profile(gamma: float = GREY_GAMMA) -> bytes:
    """Build a grey profile whose curve is one gamma, version 2.4."""
    tags = {b"wtpt": _xyz_tag(D50), b"kTRC": _curve([round(gamma * 256)])}
    return _profile(f"Grey gamma {gamma}", b"mntrGRAYXYZ ", tags)


def cmyk_profile(corners: NDArray[np.uint8]) -> bytes:
    """Build a CMYK profile that knows the sixteen full overprints and blends between.

    `corners` holds their sRGB colours as (2, 2, 2, 2, 3), indexed by whether cyan,
    magenta, yellow and black are printed: a press after Neugebauer, without dot gain.
    """
    lab = lab_of_srgb(corners.astype(float) / 255)
    encoded = lab * (2.55, 1.0, 1.0) + (0.0, 128.0, 128.0)
    table = np.clip(encoded.round(), 0, 255).astype("u1").tobytes()
    identity = struct.pack(">9i", *(65536 * (i % 4 == 0) for i in range(9)))
    straight = bytes(range(256))
    lut = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + identity
    tags = {b"wtpt": _xyz_tag(D50), b"A2B0": lut + straight * 4 + table + straight * 3}
    return _profile("Test press", b"prtrCMYKLab ", tags)


def lab_of_srgb(colours: Floats) -> Floats:
    """Convert sRGB values (..., 3) of 0 to 1 to CIE Lab relative to D50."""
    xyz = SRGB.linear(colours) @ (_to_d50() @ SRGB.to_xyz()).T / D50
    root = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    x, y, z = np.moveaxis(root, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def _to_d50() -> Floats:
    ratio = (_BRADFORD @ D50) / (_BRADFORD @ _xyz(0.3127, 0.3290))
    return np.asarray(np.linalg.inv(_BRADFORD) @ np.diag(ratio) @ _BRADFORD)


def _fixed(*numbers: float) -> bytes:
    return struct.pack(f">{len(numbers)}i", *(round(n * 65536) for n in numbers))


def _xyz_tag(xyz: tuple[float, ...]) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(*xyz)


def _curve(points: list[int]) -> bytes:
    head = b"curv\0\0\0\0" + struct.pack(">I", len(points))
    return head + struct.pack(f">{len(points)}H", *points)


def _description(title: str) -> bytes:
    text = title.encode("ascii") + b"\0"
    return b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(8 + 3 + 67)


def _profile(title: str, kinds: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Lay tags out behind a header; equal tags are stored once, as is usual."""
    tags = {
        b"desc": _description(title),
        b"cprt": b"text\0\0\0\0No copyright, made for tests\0",
        **tags,
    }
    start = 128 + 4 + 12 * len(tags)
    heap, places, table = bytearray(), dict[bytes, int](), b""
    for name, content in tags.items():
        if content not in places:
            places[content] = start + len(heap)
            heap += content + bytes(-len(content) % 4)
        table += name + struct.pack(">II", places[content], len(content))
    head = struct.pack(">I4xI", start + len(heap), 0x02400000) + kinds
    head += struct.pack(">6H", 2025, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _fixed(*D50)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + bytes(heap)
