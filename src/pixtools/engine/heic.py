"""HEIC pixels through pillow-heif, which is loaded only when a HEIC comes.

libvips reads a HEIC's header and metadata, but its wheel has no HEVC decoder.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pyvips

from pixtools.domain.errors import UnsupportedFormat
from pixtools.engine.faults import source_fault

_MODES = {
    "L": (1, "uchar", "b-w"),
    "LA": (2, "uchar", "b-w"),
    "RGB": (3, "uchar", "srgb"),
    "RGBA": (4, "uchar", "srgb"),
    "I;16": (1, "ushort", "grey16"),
    "RGB;16": (3, "ushort", "rgb16"),
    "RGBA;16": (4, "ushort", "rgb16"),
}


def require_decoder() -> None:
    """Raise UnsupportedFormat where no HEVC decoder is installed."""
    if find_spec("pillow_heif") is None:
        raise UnsupportedFormat(
            "Reading HEIC needs the extra pixtools[heic], which is not installed here."
        )


def decode_heic(source: Path, header: pyvips.Image) -> pyvips.Image:
    """Decode the primary image into memory, upright as its container says.

    Its metadata is `header`'s. Raises CorruptImage or TruncatedImage.
    """
    require_decoder()
    import pillow_heif

    try:
        file = pillow_heif.open_heif(str(source), convert_hdr_to_8bit=False)
        picture = file[file.primary_index]
        bands, format, interpretation = _MODES[picture.mode]
        data, stride = picture.data, picture.stride
    except (ValueError, RuntimeError, EOFError, OSError, KeyError) as error:
        raise source_fault(str(error), source, "heic") from error
    per_row = stride // (bands * (2 if format == "ushort" else 1))
    stored = pyvips.Image.new_from_memory(
        data, per_row, picture.size[1], bands, format
    ).crop(0, 0, *picture.size)
    return _with_metadata(stored.copy(interpretation=interpretation), header)


def _with_metadata(image: pyvips.Image, header: pyvips.Image) -> pyvips.Image:
    for name in header.get_fields():
        kind = header.get_typeof(name)
        if name.startswith(("exif-", "xmp-", "iptc-", "icc-")) and kind:
            image.set_type(kind, name, header.get(name))
    return image
