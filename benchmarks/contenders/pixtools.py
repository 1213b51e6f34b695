"""PixTools: the pixel child, as `pixtools process` and the service use it.

CPU time is what the child reports for its engine; memory is the child's.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from benchmarks.stopwatch import Order, Shift, memory, order, tell
from pixtools.domain.formats import FORMATS
from pixtools.domain.limits import Limits
from pixtools.domain.plan import Box, Encode, OutputPlan, RenderPlan
from pixtools.workers.config import WorkersConfig
from pixtools.workers.pool import ProcessRenderer

_SETTLED_SECONDS = 1.0
"""A child that has nothing to do gives memory back."""


def work(told: Order) -> Shift:
    """Render the order's files again and again in one child."""
    plan = RenderPlan(outputs=tuple(_output(wanted) for wanted in told["wanted"]))
    cpu, wall, files = [], [], {}
    with ProcessRenderer(WorkersConfig(count=1)) as renderer:
        renderer.capabilities()
        child = renderer.children()[0].pid
        for _ in range(told["repeats"]):
            started = time.perf_counter()
            report = renderer.render(
                Path(told["source"]),
                plan,
                Path(told["out"]),
                assets={},
                limits=Limits(),
                checkpoint=lambda _: None,
                timeout=600,
            )
            wall.append((time.perf_counter() - started) * 1000)
            cpu.append(float(report.cpu_ms))
            if report.failures:
                raise RuntimeError(report.failures[0].detail)
            files = {o.id: str(Path(told["out"], o.file)) for o in report.outputs}
        time.sleep(_SETTLED_SECONDS)
        peak, after = memory(child)
    return Shift(cpu_ms=cpu, wall_ms=wall, peak_mb=peak, after_mb=after, files=files)


def _output(wanted: dict[str, Any]) -> OutputPlan:
    side = wanted["side"]
    encode = Encode(
        format=wanted["format"],
        quality=wanted["quality"] or FORMATS[wanted["format"]].quality,
        effort=wanted["effort"],
    )
    box = Box(width=side, height=side, fit=wanted["fit"]) if side else None
    return OutputPlan(id=wanted["id"], action="convert", encode=encode, box=box)


if __name__ == "__main__":
    tell(work(order()))
