"""An output's plan, held against its source: sizes known, limits kept."""

from __future__ import annotations

from dataclasses import dataclass

from pixtools.domain.errors import OutputTooLarge, OutputTooLargeForFormat
from pixtools.domain.formats import FORMATS
from pixtools.domain.layout import Layout, Size, layout, smaller
from pixtools.domain.limits import Limits
from pixtools.domain.plan import OutputPlan
from pixtools.domain.report import SourceFacts


@dataclass(frozen=True, slots=True)
class Task:
    """One output to make: where its pixels go, and of how many frames.

    `needed` is the scaled size where that is smaller than the source, side by side:
    no more has to be decoded.
    """

    output: OutputPlan
    layout: Layout
    needed: Size
    frames: int = 1


def task_for(output: OutputPlan, facts: SourceFacts, limits: Limits) -> Task:
    """Lay an output out. Raises OutputTooLarge or OutputTooLargeForFormat."""
    kind = FORMATS[output.encode.format]
    moves = output.encode.animated and kind.animation
    frames = facts.pages if moves and facts.format in ("gif", "webp") else 1
    laid = layout(facts.upright_size, output.box)
    task = Task(output, laid, smaller(laid.scaled, facts.upright_size), frames)
    width, height = task.layout.size
    if max(width, height) > kind.max_side:
        raise OutputTooLargeForFormat(
            f"Expected sides of at most {kind.max_side} pixels for {kind.title} "
            f"but this output would be {width} × {height}."
        )
    _check_limits(task, limits)
    return task


def _check_limits(task: Task, limits: Limits) -> None:
    width, height = task.layout.size
    longest = max(width, height)
    if longest > limits.max_output_side:
        raise OutputTooLarge(
            f"Expected sides of at most {limits.max_output_side} pixels "
            f"but this output would be {width} × {height}."
        )
    pixels = width * height * task.frames
    if pixels > limits.max_pixels or max(task.layout.scaled) > 10_000_000:
        raise OutputTooLarge(
            f"Expected at most {limits.max_pixels} pixels "
            f"but this output would have {pixels}."
        )
