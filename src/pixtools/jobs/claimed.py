"""Work that is somebody's, where it is done, and what follows from it."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from pixtools.domain.job import Job, Stage
from pixtools.jobs.ports.blobs import Scratch


@dataclass(frozen=True, slots=True)
class Claimed:
    """A stage that is somebody's to work on; its job, unless it is a batch's."""

    stage: Stage
    job: Job | None
    wanted: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """How a claim ended: not `kept` if it was lost meanwhile.

    `following` is a stage that became the same owner's in the same transaction.
    """

    kept: bool
    following: Claimed | None = None


@dataclass(slots=True)
class Workplace:
    """Scratch space for stages that follow one another; leave it, and it is gone.

    `at_hand` are files in it that stand in the store, too, by their keys there.
    """

    scratch: Scratch
    at_hand: dict[str, Path] = field(default_factory=dict)
    _open: ExitStack = field(default_factory=ExitStack)

    def directory(self) -> Path:
        """A fresh, empty, private directory."""
        return self._open.enter_context(self.scratch.directory())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.__exit__(kind, error, trace)
