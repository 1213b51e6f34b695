"""How long a stage will keep one core busy, from what is known when it is queued."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pixtools.domain.formats import FORMATS
from pixtools.domain.job import Source
from pixtools.domain.layout import Size, layout
from pixtools.domain.plan import OutputPlan
from pixtools.domain.prices import reading_ms, writing_ms

DENOISE_MS_PER_MEGAPIXEL: Final = 10_000
"""A network of DnCNN's size on a processor; see decision 0033."""
LONGEST_MS: Final = 10**9
"""What is longer than days is not told apart, and fits into its column."""
BYTES_PER_PIXEL_OF_A_FRAME: Final = 0.2
"""A header does not tell how many frames follow; the file's size says about."""


def rendering_ms(source: Source, outputs: Iterable[OutputPlan]) -> int:
    """Milliseconds for one decode and all these outputs."""
    wanted = list(outputs)
    size = (source.width or 1, source.height or 1)
    frames = _frames(source) if any(o.encode.animated for o in wanted) else 1
    areas = [_area(layout(size, output.box).size) for output in wanted]
    writing = sum(
        writing_ms(output.encode, area * (frames if output.encode.animated else 1))
        for output, area in zip(wanted, areas, strict=True)
    )
    most = max(areas, default=0)
    reading = reading_ms(source.format or "", _area(size) * frames, most * frames)
    return min(LONGEST_MS, round(reading + writing))


def denoising_ms(source: Source, output: OutputPlan) -> int:
    """Milliseconds for the network on the whole source, and its one output."""
    megapixels = (source.width or 0) * (source.height or 0) / 1e6
    network = round(megapixels * DENOISE_MS_PER_MEGAPIXEL)
    return min(LONGEST_MS, network + rendering_ms(source, [output]))


def _frames(source: Source) -> int:
    kind = FORMATS.get(source.format or "")
    if kind is None or not kind.animation:
        return 1
    area = (source.width or 1) * (source.height or 1)
    return max(1, round((source.bytes or 0) / (area * BYTES_PER_PIXEL_OF_A_FRAME)))


def _area(size: Size) -> int:
    return size[0] * size[1]
