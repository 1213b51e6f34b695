"""What share of a render's time each of its parts takes, from the header alone."""

from __future__ import annotations

from pixtools.domain.prices import denoising_ms, reading_ms, writing_ms
from pixtools.domain.report import SourceFacts
from pixtools.domain.task import Task


def reading_time(facts: SourceFacts, frames: int) -> float:
    """CPU milliseconds that decoding is expected to take; right in proportion only."""
    return reading_ms(facts.format, facts.width * facts.height * frames)


def writing_time(task: Task) -> float:
    """CPU milliseconds that an output is expected to take; as `reading_time`."""
    width, height = task.layout.size
    return writing_ms(task.output.encode, width * height * task.frames)


def denoising_time(task: Task) -> float:
    """CPU milliseconds that removing noise is expected to take; as `reading_time`."""
    wanted = task.output.denoise
    if wanted is None:
        return 0.0
    width, height = task.cleaned
    return denoising_ms(wanted.model or "quality", width * height * task.frames)
