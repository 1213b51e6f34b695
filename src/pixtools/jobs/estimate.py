"""How long a stage will keep one core busy, from what is known when it is queued."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pixtools.domain import prices
from pixtools.domain.formats import FORMATS
from pixtools.domain.job import Source
from pixtools.domain.layout import Size, layout, smaller
from pixtools.domain.limits import Limits
from pixtools.domain.plan import Model, OutputPlan
from pixtools.domain.prices import reading_ms, writing_ms

SLOWER: Final = 4
"""So much longer than estimated denoising may take: others use the cores, too."""
LONGEST_SECONDS: Final = 1100.0
"""A worker may have spent ten minutes on the same token before, and RabbitMQ takes
one back after thirty."""
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


def denoising_ms(source: Source, output: OutputPlan, models: Sequence[Model]) -> int:
    """Milliseconds for a network, at the size that it sees, and for its one output.

    `models` are those that there are, the best first.
    """
    wanted = output.denoise.model if output.denoise else None
    model = wanted or (models[0] if models else "quality")
    frames = _frames(source) if output.encode.animated else 1
    network = prices.denoising_ms(model, _seen(source, output) * frames)
    return min(LONGEST_MS, round(network) + rendering_ms(source, [output]))


def longest_seconds(limits: Limits, denoising: int = 0) -> float:
    """How long a render may take, if denoising was estimated at so many milliseconds.

    A network's time follows from the photo's size as nothing else's does, so its bound
    does: else a large photo would always be too slow, or a hung one hang for long.
    """
    if not denoising:
        return limits.timeout_seconds
    patience = limits.timeout_seconds + SLOWER * denoising / 1000
    return max(limits.timeout_seconds, min(LONGEST_SECONDS, patience))


def _seen(source: Source, output: OutputPlan) -> int:
    """Pixels that a network sees: it comes after the cut, but before an enlargement."""
    size = (source.width or 1, source.height or 1)
    laid = layout(size, output.box)
    return min(_area(size), _area(smaller(laid.scaled, laid.size)))


def _frames(source: Source) -> int:
    kind = FORMATS.get(source.format or "")
    if kind is None or not kind.animation:
        return 1
    area = (source.width or 1) * (source.height or 1)
    return max(1, round((source.bytes or 0) / (area * BYTES_PER_PIXEL_OF_A_FRAME)))


def _area(size: Size) -> int:
    return size[0] * size[1]
