"""One small file of every kind that PixTools reads, with known pixels inside.

Provenance: drawn by code. The opaque ones show `photo(WIDTH, HEIGHT)` or a chart, the
transparent ones `disc()`, the moving ones `frames()`.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Mapping
from pathlib import Path

from pixtools.testing.images_colour import chart_16_bit
from pixtools.testing.images_photo import photo
from pixtools.testing.images_tiff import CMYK, tiff_image
from pixtools.testing.libraries import Image, ImageDraw, NDArray, Pixels, np, save_heic
from pixtools.testing.png_structure import png_chunk, png_file

__all__ = [
    "AVIFS",
    "DELAYS",
    "GIFS",
    "HEIGHT",
    "JPEGS",
    "PNGS",
    "TIFFS",
    "WEBPS",
    "WIDTH",
    "avif_10_bit",
    "disc",
    "frames",
    "heic_10_bit",
    "palette_of",
    "saved",
    "small_photo",
    "write_heics",
]

WIDTH, HEIGHT = 120, 80
"""Size in pixels of every picture here but the charts."""

DELAYS = (40, 80, 120, 160, 200)
"""How long each of the five frames of an animation stays, in milliseconds."""

Make = Callable[[], bytes]


@functools.cache
def small_photo(seed: int = 0) -> Pixels:
    """Return `photo(WIDTH, HEIGHT, seed)`, drawn once; it can't be written to."""
    pixels = photo(WIDTH, HEIGHT, seed)
    pixels.flags.writeable = False
    return pixels


def disc() -> Pixels:
    """Draw a red disc with a soft edge on nothing, as straight RGBA.

    The colour under full transparency is green, so that a reader which forgets to
    premultiply before resizing shows a green rim.
    """
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    distance = np.hypot(x - WIDTH / 2 + 0.5, y - HEIGHT / 2 + 0.5)
    alpha = np.clip((34 - distance) / 8, 0, 1)
    colour = np.where(alpha[..., None] > 0, (220, 30, 30), (0, 255, 0))
    return np.dstack([colour, (alpha * 255).round()]).astype("u1")


def frames() -> list[Image.Image]:
    """Draw five RGBA frames: a blue square with a hole, walking right over nothing.

    The GIF called "animated-kept" shows it with the trail of its earlier places.
    """
    return [_frame(12 + 20 * step) for step in range(len(DELAYS))]


def _frame(left: int) -> Image.Image:
    frame = Image.new("RGBA", (WIDTH, HEIGHT), (0, 0, 0, 0))
    box = (left, 30, left + 19, 49)
    draw = ImageDraw.Draw(frame)
    draw.rectangle(box, fill=(30, 60, 220, 255))
    # Without the hole libwebp crops each frame to what is opaque and forgets alpha.
    draw.rectangle((left + 7, 37, left + 12, 42), fill=(0, 0, 0, 0))
    return frame


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    """Encode with Pillow, in memory; `kind` and `options` are Pillow's."""
    file = io.BytesIO()
    save: Callable[..., None] = picture.save
    save(file, kind, **options)
    return file.getvalue()


def avif_10_bit() -> bytes:
    """Encode the 16-bit chart as AVIF with ten bits per sample, through libvips."""
    import pyvips

    picture = pyvips.Image.pngload_buffer(png_file(chart_16_bit()))
    return bytes(
        picture.heifsave_buffer(compression="av1", bitdepth=10, effort=0, Q=90)
    )


def palette_of(picture: Pixels) -> tuple[Pixels, Pixels]:
    """Reduce RGB to indices (height, width) and a palette of (32, 3)."""
    reduced = Image.fromarray(picture).quantize(32, dither=Image.Dither.NONE)
    table = np.array(reduced.getpalette(), dtype="u1").reshape(-1, 3)
    return np.asarray(reduced), table[:32]


def _photo() -> Image.Image:
    return Image.fromarray(small_photo())


def _grey() -> Pixels:
    return np.asarray(_photo().convert("L"))


def _bilevel() -> Pixels:
    return (_grey() > 110).astype("u1")


def _grey_alpha() -> Pixels:
    return np.dstack([_grey(), disc()[..., 3]])


def _wide(samples: Pixels) -> NDArray[np.uint16]:
    return samples.astype("u2") * 257


def _palette_png(*, transparent: bool) -> bytes:
    indices, table = palette_of(small_photo())
    chunks = [png_chunk(b"tRNS", bytes([0, 128]))] if transparent else []
    return png_file(indices, palette=table, chunks=chunks)


def _key_png() -> bytes:
    """One exact colour, that of the first pixel, is transparent."""
    pixels = small_photo()
    return png_file(pixels, chunks=[png_chunk(b"tRNS", _wide(pixels)[0, 0].tobytes())])


def _animation(kind: str, **options: object) -> bytes:
    first, *others = frames()
    delays = list(DELAYS)
    return saved(
        first, kind, save_all=True, append_images=others, duration=delays, **options
    )


JPEGS: Mapping[str, Make] = {
    "baseline": lambda: saved(_photo(), "JPEG", quality=90),
    "progressive": lambda: saved(_photo(), "JPEG", quality=90, progressive=True),
    "4-4-4": lambda: saved(_photo(), "JPEG", quality=90, subsampling=0),
    "grey": lambda: saved(_photo().convert("L"), "JPEG", quality=90),
    "rgb": lambda: saved(_photo(), "JPEG", quality=90, keep_rgb=True),
    "restarts": lambda: saved(_photo(), "JPEG", quality=90, restart_marker_rows=1),
}

PNGS: Mapping[str, Make] = {
    "rgb": lambda: png_file(small_photo()),
    "rgba": lambda: png_file(disc()),
    "grey": lambda: png_file(_grey()),
    "grey-alpha": lambda: png_file(_grey_alpha()),
    "1-bit": lambda: png_file(_bilevel(), bits=1),
    "4-bit": lambda: png_file(_grey() // np.uint8(16), bits=4),
    "palette": lambda: _palette_png(transparent=False),
    "palette-transparent": lambda: _palette_png(transparent=True),
    "colour-key": _key_png,
    "16-bit-rgb": lambda: png_file(chart_16_bit()),
    "16-bit-rgba": lambda: png_file(_wide(disc())),
    "16-bit-grey": lambda: png_file(_wide(_grey())),
    "interlaced": lambda: png_file(small_photo(), interlaced=True),
    "animated": lambda: _animation("PNG"),
}

WEBPS: Mapping[str, Make] = {
    "lossy": lambda: saved(_photo(), "WEBP", quality=80),
    "lossless": lambda: saved(_photo(), "WEBP", lossless=True),
    "rgba": lambda: saved(
        Image.fromarray(disc()), "WEBP", quality=90, alpha_quality=100
    ),
    "rgba-lossless": lambda: saved(
        Image.fromarray(disc()), "WEBP", lossless=True, exact=True
    ),
    "animated": lambda: _animation("WEBP", lossless=True, loop=3),
}

GIFS: Mapping[str, Make] = {
    "still": lambda: saved(_photo().quantize(64), "GIF"),
    "transparent": lambda: saved(Image.fromarray(disc()), "GIF"),
    "animated": lambda: _animation("GIF", disposal=2, loop=0),
    "animated-kept": lambda: _animation("GIF", disposal=1, loop=2),
}

AVIFS: Mapping[str, Make] = {
    "8-bit": lambda: saved(_photo(), "AVIF", quality=80, speed=9),
    "rgba": lambda: saved(Image.fromarray(disc()), "AVIF", quality=90, speed=9),
    "4-4-4": lambda: saved(_photo(), "AVIF", speed=9, subsampling="4:4:4"),
    "grey": lambda: saved(_photo().convert("L"), "AVIF", speed=9),
    "10-bit": avif_10_bit,
}

TIFFS: Mapping[str, Make] = {
    "strips": lambda: tiff_image([small_photo()]),
    "tiles": lambda: tiff_image([small_photo()], tile=32),
    "deflate": lambda: tiff_image([small_photo()], deflate=True),
    "lzw": lambda: saved(_photo(), "TIFF", compression="tiff_lzw"),
    "jpeg": lambda: saved(_photo(), "TIFF", compression="jpeg", quality=90),
    "big-endian": lambda: tiff_image([small_photo()], order=">"),
    "rgba": lambda: tiff_image([disc()]),
    "grey": lambda: tiff_image([_grey()]),
    "1-bit": lambda: saved(_photo().convert("1"), "TIFF", compression="group4"),
    "16-bit": lambda: tiff_image([chart_16_bit()]),
    "16-bit-big-endian": lambda: tiff_image([chart_16_bit()], order=">"),
    "cmyk": lambda: tiff_image(
        [np.asarray(_photo().convert("CMYK"))], photometric=CMYK
    ),
    "pages": lambda: tiff_image([small_photo(seed) for seed in range(3)]),
}


def heic_10_bit(path: Path) -> Path:
    """Encode the 16-bit chart as HEIC with ten bits per sample."""
    import pillow_heif

    samples = chart_16_bit()
    height, width, _ = samples.shape
    file = pillow_heif.from_bytes("RGB;16", (width, height), samples.tobytes())
    file.save(path, quality=90)
    return path


def write_heics(directory: Path) -> dict[str, Path]:
    """Write the HEIC files: they need pillow-heif, which a machine may lack."""
    options = {"quality": 80}
    return {
        "8-bit": save_heic(_photo(), directory / "heic-8-bit.heic", **options),
        "rgba": save_heic(
            Image.fromarray(disc()), directory / "heic-rgba.heic", **options
        ),
        "10-bit": heic_10_bit(directory / "heic-10-bit.heic"),
    }
