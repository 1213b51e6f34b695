"""Where an output's pixels come from: scaling, cutting, padding, turning."""

from __future__ import annotations

from dataclasses import dataclass

import pyvips

from pixtools.domain.plan import Box, Gravity
from pixtools.engine.ops.colour import has_alpha

Size = tuple[int, int]
"""Width and height in pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The whole upright picture scaled to `scaled`, then cut or padded to `size`."""

    scaled: Size
    size: Size
    gravity: Gravity = "centre"

    @property
    def cuts(self) -> bool:
        """Whether the scaled picture loses an edge."""
        return self.size[0] < self.scaled[0] or self.size[1] < self.scaled[1]

    @property
    def pads(self) -> bool:
        """Whether the scaled picture is smaller than its canvas."""
        return self.size[0] > self.scaled[0] or self.size[1] > self.scaled[1]

    @property
    def looks(self) -> bool:
        """Whether the picture's content decides what is cut."""
        return self.cuts and self.gravity in ("attention", "entropy")


def layout(size: Size, box: Box | None) -> Layout:
    """Lay an upright picture of `size` out in a box.

    Without `enlarge` no side is ever scaled up: `cover` then cuts what exceeds the
    box, so that each side is the smaller of box and picture; `contain` pads to the
    box all the same; `fill` shrinks each side on its own; `outside` stays as it is.
    """
    if box is None:
        return Layout(scaled=size, size=size)
    width, height = box.width, box.height
    if width is None or height is None:
        scaled = _by_one_side(size, width, height, enlarge=box.enlarge)
        return Layout(scaled=scaled, size=scaled)
    if box.fit == "fill":
        both = (width, height) if box.enlarge else smaller((width, height), size)
        return Layout(scaled=both, size=both)
    # The side that would be scaled further rules where nothing may stick out.
    by_width = width * size[1] <= height * size[0]
    if box.fit in ("cover", "outside"):
        by_width = not by_width
    sides = (width, None) if by_width else (None, height)
    scaled = _by_one_side(size, *sides, enlarge=box.enlarge)
    if box.fit == "cover":
        cut = smaller((width, height), scaled)
        return Layout(scaled=scaled, size=cut, gravity=box.gravity)
    if box.fit == "contain":
        return Layout(scaled=scaled, size=(width, height), gravity=box.gravity)
    return Layout(scaled=scaled, size=scaled)


def smaller(one: Size, other: Size) -> Size:
    """The smaller of each side."""
    return min(one[0], other[0]), min(one[1], other[1])


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


def _by_one_side(
    size: Size, width: int | None, height: int | None, *, enlarge: bool
) -> Size:
    """Scale so that one side is met; the other follows, rounded, at least 1."""
    if width is not None:
        width = width if enlarge else min(width, size[0])
        return width, max(1, (2 * size[1] * width + size[0]) // (2 * size[0]))
    if height is not None:
        height = height if enlarge else min(height, size[1])
        return max(1, (2 * size[0] * height + size[1]) // (2 * size[1])), height
    return size


def _corner(gravity: Gravity, free: Size) -> tuple[int, int]:
    """Place a thing where `free` pixels are left over; compass words or the centre."""
    x = 0 if "west" in gravity else free[0] if "east" in gravity else free[0] // 2
    y = 0 if "north" in gravity else free[1] if "south" in gravity else free[1] // 2
    return x, y
