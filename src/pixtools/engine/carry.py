"""Which of the source's metadata an output carries."""

from __future__ import annotations

import pyvips

from pixtools.domain.plan import KeepMetadata

NOTHING, EXIF, XMP, IPTC = 0, 1, 2, 4
"""libvips' flags of what a saver keeps."""

_COPYRIGHT = ("exif-ifd0-Copyright", "exif-ifd0-Artist")
_PAGES = ("page-height", "n-pages", "delay", "loop", "gif-delay", "gif-loop")


def carried(image: pyvips.Image, keep: KeepMetadata) -> tuple[pyvips.Image, int]:
    """The image with the metadata that stays, and libvips' flags for it.

    A colour profile never stays: the pixels are sRGB by then.
    """
    if keep == "none":
        return image, NOTHING
    image = image.copy()
    if keep == "all":
        _drop(image, "jpeg-thumbnail-data", "exif-ifd1-")
        image.set_type(pyvips.GValue.gint_type, "orientation", 1)
        return image, EXIF | XMP | IPTC
    words = {name: image.get(name) for name in _COPYRIGHT if image.get_typeof(name)}
    _drop(image, "exif-", "xmp-", "iptc-", "jpeg-thumbnail", "orientation")
    for name, value in words.items():
        image.set_type(pyvips.GValue.gstr_type, name, value)
    return image, EXIF if words else NOTHING


def as_still(image: pyvips.Image) -> pyvips.Image:
    """The image without what a header says about frames."""
    image = image.copy()
    _drop(image, *_PAGES)
    return image


def as_animation(
    image: pyvips.Image, header: pyvips.Image, page_height: int
) -> pyvips.Image:
    """The stacked frames with the source's timing."""
    image = image.copy()
    image.set_type(pyvips.GValue.gint_type, "page-height", page_height)
    image.set_type(pyvips.GValue.gint_type, "n-pages", image.height // page_height)
    for name in ("delay", "loop"):
        if header.get_typeof(name):
            image.set_type(header.get_typeof(name), name, header.get(name))
    return image


def _drop(image: pyvips.Image, *beginnings: str) -> None:
    for name in image.get_fields():
        if name.startswith(beginnings):
            image.remove(name)
