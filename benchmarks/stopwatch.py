"""What a contender's process measures of itself; it prints a `Shift` as JSON.

Light on imports, because every contender in Python carries it.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict


class Shift(TypedDict):
    """One process doing one job several times.

    CPU and wall time in ms, one number a time; `peak_mb` and `after_mb` are resident
    memory at its height and after the last time, in MB; `files` are paths by id.
    """

    cpu_ms: list[float]
    wall_ms: list[float]
    peak_mb: float
    after_mb: float
    files: dict[str, str]


class Order(TypedDict):
    """What the process is told: see `jobs.Job`; `out` is a folder of its own."""

    source: str
    out: str
    repeats: int
    wanted: list[dict[str, Any]]


def order() -> Order:
    """Read the order from the command line."""
    told: Order = json.loads(sys.argv[1])
    return told


def clock(work: Callable[[], dict[str, str]], repeats: int) -> Shift:
    """Do the work several times; children's CPU time counts as its own."""
    cpu, wall, files = [], [], {}
    for _ in range(repeats):
        cpu_before, wall_before = cpu_seconds(), time.perf_counter()
        files = work()
        wall.append((time.perf_counter() - wall_before) * 1000)
        cpu.append((cpu_seconds() - cpu_before) * 1000)
    peak, after = memory("self")
    return Shift(cpu_ms=cpu, wall_ms=wall, peak_mb=peak, after_mb=after, files=files)


def cpu_seconds() -> float:
    """CPU time of this process and of its children that ended."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def memory(process: int | str) -> tuple[float, float]:
    """Resident memory of a process at its height and now, in MB (millions of bytes).

    From the kernel's status, because ru_maxrss keeps the parent's height over exec.
    """
    lines = Path(f"/proc/{process}/status").read_text("ascii").splitlines()
    sizes = {
        name: int(rest.split()[0]) * 1024 / 1e6
        for name, _, rest in (line.partition(":") for line in lines)
        if name in {"VmHWM", "VmRSS"}
    }
    return sizes["VmHWM"], sizes["VmRSS"]


def tell(shift: Shift) -> None:
    """Print what was measured, for the one who started this process."""
    print(json.dumps(shift))
