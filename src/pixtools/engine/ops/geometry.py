"""Where an output's pixels come from: scaling, cutting, padding, turning."""

from __future__ import annotations

import pyvips

from pixtools.domain.layout import Layout, Size
from pixtools.domain.plan import Gravity
from pixtools.engine.ops.colour import has_alpha


def scale(image: pyvips.Image, size: Size) -> pyvips.Image:
    """Resample to exactly `size` with Lanczos-3, alpha weighing its colours."""
    if (image.width, image.height) == size:
        return image
    across, down = size[0] / image.width, size[1] / image.height
    if not has_alpha(image):
        return image.resize(across, vscale=down)
    # Without premultiplying, the hidden colour of transparent pixels bleeds out.
    stored, top = image.format, 65535 if image.format == "ushort" else 255
    weighed = (image.premultiply(max_alpha=top) + 0.5).cast(stored)
    resized = weighed.resize(across, vscale=down)
    return (resized.unpremultiply(max_alpha=top) + 0.5).cast(stored)


def find_corner(image: pyvips.Image, layout: Layout) -> tuple[int, int]:
    """Left and top of the cut in the scaled picture, from any scale of it."""
    free = (layout.scaled[0] - layout.size[0], layout.scaled[1] - layout.size[1])
    if not layout.looks:
        return _corner(layout.gravity, free)
    across, down = image.width / layout.scaled[0], image.height / layout.scaled[1]
    window = (
        min(image.width, max(1, round(layout.size[0] * across))),
        min(image.height, max(1, round(layout.size[1] * down))),
    )
    seen = image.smartcrop(*window, interesting=layout.gravity)
    left, top = round(-seen.xoffset / across), round(-seen.yoffset / down)
    return min(left, free[0]), min(top, free[1])


def cut(image: pyvips.Image, corner: tuple[int, int], size: Size) -> pyvips.Image:
    """Keep the `size` pixels right and below of `corner`."""
    return image.extract_area(*corner, *size)


def pad(image: pyvips.Image, layout: Layout, colour: list[float]) -> pyvips.Image:
    """Lay the picture on a canvas of one colour, which has the image's bands."""
    free = (layout.size[0] - image.width, layout.size[1] - image.height)
    left, top = _corner(layout.gravity, free)
    return image.embed(left, top, *layout.size, extend="background", background=colour)


def upright(image: pyvips.Image, orientation: int) -> pyvips.Image:
    """Turn stored pixels as EXIF's `orientation` (1..8) asks, and clear the tag.

    Needs random access. Some savers would write the tag even where all else is
    stripped, and AVIF's turns the picture by itself.
    """
    turned = {3: "d180", 4: "d180", 5: "d90", 6: "d90", 7: "d270", 8: "d270"}
    if orientation in turned:
        image = image.rot(turned[orientation])
    image = image.fliphor() if orientation in (2, 4, 5, 7) else image.copy()
    image.remove("orientation")
    return image


def _corner(gravity: Gravity, free: Size) -> tuple[int, int]:
    """Place a thing where `free` pixels are left over; compass words or the centre."""
    x = 0 if "west" in gravity else free[0] if "east" in gravity else free[0] // 2
    y = 0 if "north" in gravity else free[1] if "south" in gravity else free[1] // 2
    return x, y
