"""A pool of fake children for tests, with jobs in threads of their own."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from pixtools.domain.limits import Limits
from pixtools.domain.plan import Denoise, Encode, OutputPlan, RenderPlan
from pixtools.domain.report import Report
from pixtools.workers.config import WorkersConfig
from pixtools.workers.pool import ProcessRenderer

PATIENCE = 60.0
"""Ends a hang. A child takes long to start while all to whom it yields are busy."""
FAKE = Path(__file__).parent / "fake_child.py"
CLEAN = OutputPlan(
    id="a", action="denoise", encode=Encode(format="jpg"), denoise=Denoise()
)
PLAN = RenderPlan(
    outputs=(OutputPlan(id="a", action="convert", encode=Encode(format="jpg")),),
    metadata=True,
)


class Bench:
    """A pool of fake children, with jobs that run in threads of their own."""

    def __init__(self, folder: Path, behaviour: str, **config: Any) -> None:
        command = (sys.executable, str(FAKE), behaviour)
        told: dict[str, Any] = {"command": command, "start_seconds": PATIENCE}
        self.renderer = ProcessRenderer(WorkersConfig(**told | config))
        self.threads = ThreadPoolExecutor(8)
        self._folder = folder
        self._count = 0

    def scratch(self) -> Path:
        self._count += 1
        folder = self._folder / str(self._count)
        folder.mkdir()
        return folder

    def render(
        self,
        scratch: Path | None = None,
        *,
        megabytes: int = 1,
        checkpoint: Callable[[float], None] = lambda _: None,
        timeout: float = 60,
        heavy: bool = False,
        denoise: bool = False,
    ) -> Report:
        scratch = scratch or self.scratch()
        source = scratch / "source"
        source.write_text(str(megabytes))
        return self.renderer.render(
            source,
            replace(PLAN, outputs=(CLEAN,)) if denoise else PLAN,
            scratch,
            assets={},
            limits=Limits(),
            checkpoint=checkpoint,
            timeout=timeout,
            heavy=heavy,
        )

    def begin(self, scratch: Path, **options: Any) -> Future[Report]:
        return self.threads.submit(self.render, scratch, **options)


def eventually(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


def pid_of(report: Report) -> int:
    assert report.metadata is not None
    pid: int = report.metadata["pid"]
    return pid
