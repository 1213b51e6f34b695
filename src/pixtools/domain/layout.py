"""What a box means: the size of what is made, and where its pixels come from."""

from __future__ import annotations

from dataclasses import dataclass

from pixtools.domain.errors import OutputTooLarge, OutputTooLargeForFormat
from pixtools.domain.formats import Format
from pixtools.domain.limits import Limits
from pixtools.domain.plan import Box, Gravity

Size = tuple[int, int]
"""Width and height in pixels."""

LONGEST_SCALED = 10_000_000
"""A side of what is cut afterwards, however thin it is."""


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


def check_layout(laid: Layout, kind: Format, limits: Limits, frames: int = 1) -> None:
    """Raise OutputTooLarge or OutputTooLargeForFormat for what may not be made."""
    width, height = laid.size
    longest, pixels = max(width, height), width * height * frames
    if longest > kind.max_side:
        raise OutputTooLargeForFormat(
            f"Expected sides of at most {kind.max_side} pixels for {kind.title} "
            f"but this output would be {width} × {height}."
        )
    if longest > limits.max_output_side:
        raise OutputTooLarge(
            f"Expected sides of at most {limits.max_output_side} pixels "
            f"but this output would be {width} × {height}."
        )
    if pixels > limits.max_pixels or max(laid.scaled) > LONGEST_SCALED:
        raise OutputTooLarge(
            f"Expected at most {limits.max_pixels} pixels "
            f"but this output would have {pixels}."
        )


def smaller(one: Size, other: Size) -> Size:
    """The smaller of each side."""
    return min(one[0], other[0]), min(one[1], other[1])


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
