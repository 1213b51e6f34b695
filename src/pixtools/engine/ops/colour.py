"""What an output's numbers mean: sRGB or grey, 8 or 16 bits, with or without alpha."""

from __future__ import annotations

import pyvips

from pixtools.domain.plan import Colour
from pixtools.engine.icc import PROFILE, is_srgb
from pixtools.engine.vips import TROUBLE

_GREY = ("b-w", "grey16")
_RGB = ("srgb", "rgb16")


def has_alpha(image: pyvips.Image) -> bool:
    """Whether the last band is transparency."""
    return bool(image.hasalpha())


def is_grey(image: pyvips.Image) -> bool:
    """Whether one band holds all of the picture's light."""
    return image.interpretation in _GREY


def to_standard(image: pyvips.Image, *, deep: bool) -> pyvips.Image:
    """Turn any colours into sRGB or grey, 16 bits a band if `deep`, else 8.

    An embedded profile is obeyed (perceptual intent, as photographs want); a broken
    one is ignored. CMYK without a profile is read with libvips' own.
    """
    image = _trimmed(_known(image))
    if image.interpretation == "cmyk" or _has_meaning(image):
        image = _by_profile(image, deep=deep)
    wanted = "grey16" if deep else "b-w"
    if not is_grey(image):
        wanted = "rgb16" if deep else "srgb"
    return image if image.interpretation == wanted else image.colourspace(wanted)


def shallow(image: pyvips.Image) -> pyvips.Image:
    """Bring 16 bits a band to 8, whatever they mean."""
    if image.format != "ushort":
        return image
    named = {"rgb16": "srgb", "grey16": "b-w"}
    meaning = named.get(image.interpretation, image.interpretation)
    return image.cast("uchar", shift=True).copy(interpretation=meaning)


def to_rgb(image: pyvips.Image) -> pyvips.Image:
    """Three colour bands, whatever there were."""
    if not is_grey(image):
        return image
    return image.colourspace("rgb16" if image.format == "ushort" else "srgb")


def flatten(image: pyvips.Image, background: Colour) -> pyvips.Image:
    """Lay transparent pixels on the background, itself laid on white paper."""
    if not has_alpha(image):
        return image
    if is_grey(image) and not _neutral(background):
        image = to_rgb(image)
    return image.flatten(
        background=ink(opaque(background), image)[: image.bands - 1],
        max_alpha=65535 if image.format == "ushort" else 255,
    )


def opaque(colour: Colour) -> Colour:
    """What a colour looks like on white paper."""
    share = colour[3] / 255
    red, green, blue = (round(c * share + 255 * (1 - share)) for c in colour[:3])
    return red, green, blue, 255


def ink(colour: Colour, image: pyvips.Image) -> list[float]:
    """A colour as this image's bands write it."""
    bands = [colour[0]] if is_grey(image) else list(colour[:3])
    if has_alpha(image):
        bands.append(colour[3])
    depth = 257 if image.format == "ushort" else 1
    return [float(band * depth) for band in bands]


def canvas_for(image: pyvips.Image, background: Colour) -> pyvips.Image:
    """The image with the bands that this background needs."""
    if is_grey(image) and not _neutral(background):
        image = to_rgb(image)
    if background[3] < 255 and not has_alpha(image):
        return image.addalpha()
    return image


def _neutral(colour: Colour) -> bool:
    return colour[0] == colour[1] == colour[2]


def _known(image: pyvips.Image) -> pyvips.Image:
    """Name the colours of an image whose header does not; fractions are of white."""
    if image.interpretation in ("cmyk", "lab", "labs", "scrgb", "xyz"):
        return image
    grey = image.bands < 3
    if image.format not in ("uchar", "char", "ushort", "short"):
        whole = image.format in ("uint", "int")
        sixteen = image if whole else image * 65535
        sixteen = sixteen.cast("ushort", shift=whole)
        return sixteen.copy(interpretation="grey16" if grey else "rgb16")
    if image.interpretation in (*_GREY, *_RGB):
        return image
    return image.copy(interpretation="b-w" if grey else "srgb")


def _trimmed(image: pyvips.Image) -> pyvips.Image:
    """Colour and at most one more band: scientific images have many."""
    colours = {"cmyk": 4, "b-w": 1, "grey16": 1}.get(image.interpretation, 3)
    if image.bands <= colours + 1:
        return image
    return image.extract_band(0, n=colours + 1)


def _has_meaning(image: pyvips.Image) -> bool:
    if not image.get_typeof(PROFILE):
        return False
    return is_grey(image) or not is_srgb(image)


def _by_profile(image: pyvips.Image, *, deep: bool) -> pyvips.Image:
    fallback = {"input_profile": "cmyk"} if image.interpretation == "cmyk" else {}
    grey = is_grey(image)
    try:
        moved = image.icc_transform(
            "srgb",
            embedded=True,
            intent="perceptual",
            depth=16 if deep else 8,
            **fallback,
        )
    except TROUBLE:
        return image
    return moved.colourspace("grey16" if deep else "b-w") if grey else moved
