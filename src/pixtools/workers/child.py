"""`python -m pixtools.workers.child`: one pixel child, started by its parent only.

Standard input is a socket to the parent (see `protocol`), the one argument what
`WorkersConfig.words` says. The process knows the engine and the standard library, no
database, no settings and no secrets; it ends when its parent does, whatever it is
doing.
"""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from pixtools.domain.errors import DenoiserUnusable, OutputError
from pixtools.domain.limits import Limits
from pixtools.domain.memory import estimate
from pixtools.domain.plan import RenderPlan
from pixtools.domain.report import Report
from pixtools.domain.task import task_for
from pixtools.engine import Denoisers, EngineConfig, open_engine, probe, render
from pixtools.engine.abilities import abilities
from pixtools.workers.loop import serve
from pixtools.workers.protocol import Capabilities


class VipsEngine:
    """pixtools.engine, opened in this process."""

    def __init__(self, config: EngineConfig | None = None) -> None:
        """Open libvips; networks that remove noise are opened on first use."""
        config = config or EngineConfig()
        open_engine(config)
        self._denoisers = Denoisers(config)

    def warm(self) -> None:
        """Open the networks that are there; raises DenoiserUnusable."""
        for name in self._denoisers.names():
            self._denoisers.open(name)

    def capabilities(self) -> Capabilities:
        """What this build of libvips reads, writes and does."""
        return Capabilities(**asdict(abilities(self._denoisers)))

    def estimate(self, source: Path, plan: RenderPlan, limits: Limits) -> int:
        """Bytes of memory that `render` will need; raises what the header forbids."""
        facts = probe(source, limits)
        tasks = []
        for output in plan.outputs:
            with suppress(OutputError):  # render reports it, output by output
                tasks.append(task_for(output, facts, limits))
        needed = estimate(facts, tasks)
        # What may never run must not wait for room: render refuses it at once.
        return needed if needed <= limits.memory_budget_bytes else 0

    def render(
        self,
        source: Path,
        plan: RenderPlan,
        scratch: Path,
        *,
        assets: Mapping[str, Path],
        limits: Limits,
        checkpoint: Callable[[float], None],
    ) -> Report:
        """Make the files."""
        return render(
            source,
            plan,
            scratch,
            assets=assets,
            limits=limits,
            denoisers=self._denoisers,
            checkpoint=checkpoint,
        )


def main() -> None:
    """Serve the parent that holds the other end of standard input."""
    if sys.stdin.isatty():
        sys.exit("This process is started by PixTools itself; try `pixtools --help`.")
    told = json.loads(sys.argv[1])
    engine = VipsEngine(
        EngineConfig(
            models_dir=Path(told["models_dir"]) if told["models_dir"] else None,
            precision=told["precision"],
            denoise_threads=told["denoise_threads"],
        )
    )
    if told["warm"]:
        _warmed(engine)
    serve(socket.socket(fileno=0), engine)


def _warmed(engine: VipsEngine) -> None:
    try:
        engine.warm()
    except DenoiserUnusable as error:
        sys.exit(error.detail)


if __name__ == "__main__":
    main()
