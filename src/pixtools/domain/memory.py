"""What memory a render takes, from the header alone.

The numbers were measured (libvips 8.18, one thread) and err on the large side; a test
holds them against the peak of real processes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import ceil

from pixtools.domain.errors import ImageTooLargeForMemory, OutputError
from pixtools.domain.ladder import Rung, ladder
from pixtools.domain.layout import Size
from pixtools.domain.limits import MIB, Limits
from pixtools.domain.plan import Encode, OutputPlan
from pixtools.domain.report import SourceFacts
from pixtools.domain.task import MOVING, Task, task_for

_PROCESS = 34 * MIB
"""A process that has opened the engine and made something small."""

_LINES = 2300
"""Rows of the source that a stream through a resampler holds, at most."""

_NETWORK = 192 * MIB
"""ONNX Runtime, the larger network, and what it takes for a tile."""


def estimate(facts: SourceFacts, tasks: Sequence[Task]) -> int:
    """Bytes of memory that a process is expected to need at its peak for this."""
    if not tasks:
        return _PROCESS
    rungs = ladder([task.needed for task in tasks])
    frames = max(task.frames for task in tasks)
    depth = _pixel_bytes(facts)
    top = _area(rungs[0].size) * frames * depth
    streams = len(tasks) == 1 and frames == 1 and facts.orientation == 1
    reading = _decoder(facts, rungs[0].size) + _stream(facts, depth)
    writing = max(_writer(task, facts) for task in tasks)
    if streams:
        return _PROCESS + reading + writing
    held = top * 2 if facts.orientation > 1 else top
    lower = _second(rungs, tasks) * frames * depth
    return _PROCESS + max(reading + top, held, top + lower + writing)


def too_large_for_memory(needed: int, limits: Limits) -> ImageTooLargeForMemory:
    """The refusal of a photo that needs so many bytes."""
    return ImageTooLargeForMemory(
        f"Expected at most {limits.memory_budget_bytes // MIB} MiB of memory "
        f"for this image but it is estimated to need {ceil(needed / MIB)} MiB."
    )


def least(known: SourceFacts, outputs: Sequence[OutputPlan], limits: Limits) -> int:
    """Bytes that a render takes at the very least, whatever else its source is.

    `known` is what was read of an upright photo without opening it: more depth, alpha
    or interlacing may only add to this. How it is stored turned may take less; outputs
    that can't be made take nothing, and those of an animation might be such.
    """
    lying = [_lying(known, orientation) for orientation in (1, 3, 6)]
    moves = known.format in MOVING
    sure = [output for output in outputs if not (output.encode.animated and moves)]
    return max(
        (min(_alone(facts, output, limits) for facts in lying) for output in sure),
        default=_PROCESS,
    )


def never_fits(
    known: SourceFacts, outputs: Sequence[OutputPlan], limits: Limits
) -> int | None:
    """The `least` bytes, if no worker may ever take so many; None for nearly all."""
    most = limits.memory_budget_bytes
    if all(_alone(known, output, limits) <= most for output in outputs):
        return None
    needed = least(known, outputs, limits)
    return needed if needed > most else None


def _lying(upright: SourceFacts, orientation: int) -> SourceFacts:
    width, height = upright.width, upright.height
    if orientation > 4:
        width, height = height, width
    return replace(upright, width=width, height=height, orientation=orientation)


def _alone(facts: SourceFacts, output: OutputPlan, limits: Limits) -> int:
    try:
        return estimate(facts, [task_for(output, facts, limits)])
    except OutputError:
        return _PROCESS


def _decoder(facts: SourceFacts, needed: Size) -> int:
    """Bytes that the format's decoder takes beside the rows it hands out."""
    area = facts.width * facts.height
    deep = 2 if facts.bits > 8 else 1
    match facts.format:
        case "avif":
            return area * 16 * deep
        case "heic":
            return area * 10 * deep + 8 * MIB
        case "webp":
            return round(area * 4.5) + min(area, 4 * _area(needed)) * 10
        case "gif":
            return area * 16
        case "jpg" if facts.interlaced:
            return area * 6
        case "png" | "tiff" if facts.interlaced or facts.format == "tiff":
            return area * _pixel_bytes(facts)
        case _:
            return 0


def _stream(facts: SourceFacts, depth: int) -> int:
    return facts.width * depth * min(_LINES, facts.height * 3)


def _writer(task: Task, facts: SourceFacts) -> int:
    """Bytes that an encoder takes beside its input, and copies made for it."""
    encode = task.output.encode
    area = _area(task.layout.size)
    moves = task.frames > 1
    copied = moves or task.layout.looks or encode.max_bytes is not None
    copies = area * task.frames * _pixel_bytes(facts) * (2 if moves else 1)
    # A mark is drawn in colour and alpha, as large as its share of the width asks.
    mark = task.output.mark
    drawn = 8 * round(area * mark.size**2) + 4 * MIB if mark else 0
    padded = task.layout.pads and encode.background[3] < 255
    encoding = _encoder(encode, area, alpha=facts.has_alpha or padded)
    network = _NETWORK if task.output.denoise else 0
    return (copies if copied else 0) + drawn + encoding + network


def _encoder(encode: Encode, area: int, *, alpha: bool) -> int:
    match encode.format:
        case "webp":
            return area * (34 if encode.lossless else 32 if alpha else 6)
        case "avif":
            return area * ((40 if encode.lossless else 24) + (16 if alpha else 0))
        case "gif":
            return area * 14 + min(area * 30, 45 * MIB)
        case _:
            return 2 * MIB


def _second(rungs: Sequence[Rung], tasks: Sequence[Task]) -> int:
    """Pixels of the largest size that is kept while the first is still held."""
    moves = any(task.frames > 1 for task in tasks)
    sizes = [task.needed for task in tasks]
    kept = [r.size for r in rungs[1:] if moves or r.children or sizes.count(r.size) > 1]
    return max(map(_area, kept), default=0)


def _pixel_bytes(facts: SourceFacts) -> int:
    bands = 4 if facts.has_alpha or facts.color_space == "cmyk" else 3
    return bands * (2 if facts.bits > 8 else 1)


def _area(size: Size) -> int:
    return size[0] * size[1]
