"""The engine behind its process wall: pixel children, as one Renderer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from pixtools.domain.limits import Limits
from pixtools.domain.plan import RenderPlan
from pixtools.domain.report import Report
from pixtools.workers.budget import MemoryBudget
from pixtools.workers.children import ChildFacts, Children
from pixtools.workers.config import WorkersConfig
from pixtools.workers.process import Task
from pixtools.workers.protocol import Capabilities
from pixtools.workers.pulse import Checkpoint


class ProcessRenderer:
    """Renders in up to `config.count` children; a `jobs.ports.Renderer`.

    Any number of threads may call it; each blocks until its own work is done. Children
    start when they are first needed, stay warm, and are replaced when they die, grow
    or grow old. Use it as a context manager, or call `close`.
    """

    def __init__(self, config: WorkersConfig | None = None) -> None:
        config = config or WorkersConfig()
        self._children = Children(config)
        self._budget = MemoryBudget(config.memory_bytes)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

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
        """Make the plan's files in `scratch`, which must exist.

        `checkpoint` is called in this thread at least twice a second, also while the
        job waits for a child or for memory; `timeout` in seconds counts neither wait.
        `heavy` work goes to children of its own, who yield to all others.
        Raises SourceError kinds, TimedOut, WorkerLost, and whatever `checkpoint`
        raised.
        """
        with (
            self._children.lend(checkpoint, heavy=heavy) as child,
            self._budget.job(lambda: checkpoint(0.0)) as admit,
        ):
            task = Task(
                source=source,
                plan=plan,
                scratch=scratch,
                assets=assets,
                limits=limits,
                timeout=timeout,
                admit=admit,
                checkpoint=checkpoint,
            )
            return child.render(task)

    def capabilities(self) -> Capabilities:
        """What the children can do; starts the first one. Raises WorkerLost."""
        return self._children.capabilities()

    def warm(self) -> None:
        """Have a child at hand whose network is open. Raises WorkerLost."""
        self._children.warm()

    def alive(self) -> bool:
        """Whether pixels can be made: children live, or could be started."""
        return self._children.sound

    def children(self) -> tuple[ChildFacts, ...]:
        """The children that live now."""
        return self._children.facts()

    def close(self) -> None:
        """End all children; jobs that still run get WorkerLost. Harmless twice."""
        self._children.close()
