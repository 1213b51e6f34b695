"""Files that are no images but look or are named like one, and images that are more.

Each is the smallest honest example of its kind, written here. The scripts do nothing.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Mapping

from pixtools.testing.images_bombs import gif_of_frames
from pixtools.testing.images_formats import JPEGS, PNGS, saved
from pixtools.testing.libraries import Image
from pixtools.testing.png_structure import png_chunk

__all__ = [
    "NOT_IMAGES",
    "POLYGLOTS",
    "svg",
    "svg_billion_laughs",
    "svg_external_entity",
    "svg_huge",
    "svg_reading_a_file",
]

_SPACE = 'xmlns="http://www.w3.org/2000/svg"'


def svg(width: int = 32, height: int = 32, inside: str = "", before: str = "") -> bytes:
    """Write an SVG with a red rectangle, `inside` it and `before` it what is wanted."""
    body = f'<rect width="100%" height="100%" fill="red"/>{inside}'
    size = f'width="{width}" height="{height}"'
    return f'<?xml version="1.0"?>{before}<svg {_SPACE} {size}>{body}</svg>'.encode()


def svg_billion_laughs() -> bytes:
    """Write an SVG whose entities expand to ten to the ninth words."""
    entities = ['<!ENTITY lol0 "lol">'] + [
        f'<!ENTITY lol{level} "{f"&lol{level - 1};" * 10}">' for level in range(1, 10)
    ]
    doctype = f"<!DOCTYPE svg [{''.join(entities)}]>"
    return svg(inside="<text>&lol9;</text>", before=doctype)


def svg_external_entity() -> bytes:
    """Write an SVG that asks its reader to include a file of the machine."""
    doctype = '<!DOCTYPE svg [<!ENTITY leak SYSTEM "file:///etc/hostname">]>'
    return svg(inside='<text y="16">&leak;</text>', before=doctype)


def svg_reading_a_file() -> bytes:
    """Write an SVG that asks its renderer to draw a file of the machine."""
    return svg(inside='<image href="file:///etc/hostname" width="9" height="9"/>')


def svg_huge() -> bytes:
    """Write an SVG of a hundred and some bytes that claims ten gigapixels."""
    return svg(100_000, 100_000)


def _html() -> bytes:
    return b"<!DOCTYPE html><html><body><script>void 0</script></body></html>"


def _vips() -> bytes:
    """A .v file: libvips' own format, a raw header of 64 bytes and the pixels."""
    header = struct.pack("<I15i", 0xB6A6F208, 4, 4, 1, 8, 0, 0, 1, *[0] * 8)
    return header + bytes(16)


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


def _movie() -> bytes:
    return _box(b"ftyp", b"isom\0\0\2\0isomiso2mp41") + _box(b"mdat", bytes(64))


def _jpeg_xl() -> bytes:
    return _box(b"JXL ", b"\r\n\x87\n") + _box(b"ftyp", b"jxl \0\0\0\0jxl ")


def _jpeg_2000() -> bytes:
    return _box(b"jP  ", b"\r\n\x87\n") + _box(b"ftyp", b"jp2 \0\0\0\0jp2 ")


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo("hello.txt"), "hello")
    return file.getvalue()


def _small() -> Image.Image:
    return Image.new("RGB", (16, 16), (90, 140, 60))


def _gif_and_script() -> bytes:
    """A GIF whose width of 10,799 reads as the start of a comment in JavaScript."""
    gif = gif_of_frames(1)
    return gif[:6] + b"/*" + gif[8:] + b"*/=1;void 0//"


def _png_and_php() -> bytes:
    png = PNGS["rgb"]()
    return png[:33] + png_chunk(b"tEXt", b"Comment\0<?php exit; ?>") + png[33:]


Named = tuple[str, Callable[[], bytes]]

NOT_IMAGES: Mapping[str, Named] = {
    "html-named-jpg": ("page.jpg", _html),
    "text": ("note.png", lambda: b"This is no image.\n" * 20),
    "svg": ("drawing.svg", svg),
    "svg-named-png": ("drawing.png", svg),
    "svg-external-entity": ("drawing.svg", svg_external_entity),
    "svg-reading-a-file": ("drawing.svg", svg_reading_a_file),
    "vips": ("image.v", _vips),
    "bmp": ("image.bmp", lambda: saved(_small(), "BMP")),
    "ico": ("image.ico", lambda: saved(_small(), "ICO")),
    "pdf": (
        "page.pdf",
        lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n",
    ),
    "psd": ("image.psd", lambda: struct.pack(">4sH6xHIIHH", b"8BPS", 1, 3, 4, 4, 8, 3)),
    "ppm": ("image.ppm", lambda: b"P6\n2 2\n255\n" + bytes(12)),
    "jpeg-xl": ("image.jxl", _jpeg_xl),
    "jpeg-2000": ("image.jp2", _jpeg_2000),
    "movie-named-heic": ("film.heic", _movie),
    "zip": ("photos.zip", _zip),
}
"""The name it goes by and its bytes; none of them is an accepted image."""

POLYGLOTS: Mapping[str, Named] = {
    "gif-and-script": ("script.gif", _gif_and_script),
    "jpg-and-zip": ("photo.jpg", lambda: JPEGS["baseline"]() + _zip()),
    "png-and-php": ("photo.png", _png_and_php),
}
"""Right images that are something else as well; they may be read, not passed on."""
