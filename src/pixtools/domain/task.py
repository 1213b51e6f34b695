"""An output's plan, held against its source: sizes known, limits kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pixtools.domain.formats import FORMATS
from pixtools.domain.layout import Layout, Size, check_layout, layout, smaller
from pixtools.domain.limits import Limits
from pixtools.domain.plan import OutputPlan
from pixtools.domain.report import SourceFacts

MOVING: Final = ("gif", "webp")
"""Formats whose sources may have frames that are read."""


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

    @property
    def enlarges(self) -> bool:
        """Whether any side of what is decoded is scaled up."""
        return self.needed != self.layout.scaled

    @property
    def cleaned(self) -> Size:
        """The size at which noise is removed: where there are the fewest pixels."""
        laid = self.layout
        return self.needed if self.enlarges else smaller(laid.size, laid.scaled)


def task_for(output: OutputPlan, facts: SourceFacts, limits: Limits) -> Task:
    """Lay an output out. Raises OutputTooLarge or OutputTooLargeForFormat."""
    kind = FORMATS[output.encode.format]
    moves = output.encode.animated and kind.animation
    frames = facts.pages if moves and facts.format in MOVING else 1
    laid = layout(facts.upright_size, output.box)
    task = Task(output, laid, smaller(laid.scaled, facts.upright_size), frames)
    check_layout(laid, kind, limits, frames)
    return task
