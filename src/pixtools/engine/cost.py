"""What a render costs, from the header alone: memory, and shares of time."""

from __future__ import annotations

from collections.abc import Sequence

from pixtools.domain.report import SourceFacts
from pixtools.engine.task import Task

_READ_MS_PER_MP = {"avif": 60.0, "heic": 60.0, "webp": 30.0, "png": 25.0}
_WRITE_MS_PER_MP = {
    "jpg": 11.0,
    "png": 80.0,
    "webp": 90.0,
    "avif": 470.0,
    "gif": 250.0,
    "tiff": 60.0,
}


def reading_time(facts: SourceFacts, frames: int) -> float:
    """CPU milliseconds that decoding is expected to take; right in proportion only."""
    megapixels = facts.width * facts.height * frames / 1e6
    return 5 + megapixels * _READ_MS_PER_MP.get(facts.format, 15.0)


def writing_time(task: Task) -> float:
    """CPU milliseconds that an output is expected to take; as `reading_time`."""
    width, height = task.layout.size
    megapixels = width * height * task.frames / 1e6
    tries = 6 if task.output.encode.max_bytes else 1
    return 3 + megapixels * _WRITE_MS_PER_MP[task.output.encode.format] * tries


def estimate(facts: SourceFacts, tasks: Sequence[Task]) -> int:
    """Bytes of memory that the process is expected to need at its peak."""
    frames = max((task.frames for task in tasks), default=1)
    return 64 * 2**20 + facts.width * facts.height * 4 * frames
