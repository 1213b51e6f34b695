"""Pixels, bells, clocks and ids.

The verbs own their ports; adapters obey them. Every port has at most six methods,
an in-memory twin in `pixtools.testing` and one suite that each adapter passes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from pixtools.domain.job import Lane
from pixtools.domain.limits import Limits
from pixtools.domain.plan import RenderPlan
from pixtools.domain.report import Report

Checkpoint = Callable[[float], None]
"""Told the fraction done (0..1); raises to stop the work."""
Call = Lane | Literal["deliveries"]
"""Who is woken: the workers of a lane, or those who tell clients."""


class Clock(Protocol):
    """Time, always in UTC and aware."""

    def now(self) -> datetime:
        """The present moment."""
        ...


class Ids(Protocol):
    """Makes ids."""

    def new(self) -> str:
        """A fresh UUIDv7."""
        ...


class Renderer(Protocol):
    """The engine behind its process wall."""

    def render(
        self,
        source: Path,
        plan: RenderPlan,
        scratch: Path,
        *,
        assets: Mapping[str, Path],
        limits: Limits,
        checkpoint: Checkpoint,
        timeout: float,
        heavy: bool = False,
    ) -> Report:
        """Make the plan's files in `scratch`; `heavy` work yields to all other.

        Raises SourceError kinds, TimedOut, WorkerLost, and whatever
        `checkpoint` raised.
        """
        ...


class Bell(Protocol):
    """Tells those who wait that there is news; may be lost, never the truth."""

    def work(self, calls: Sequence[Call] = ("default_queue",)) -> None:
        """Stages are ready, or deliveries: called after commit."""
        ...

    def news(self, subject: str) -> None:
        """A job or batch of this id has changed, or a job has come to its `ending`.

        Called after commit.
        """
        ...
