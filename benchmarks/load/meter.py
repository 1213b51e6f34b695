"""What the processes of a service take, by kind: CPU seconds and memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import psutil

PIXELS = "pixels"
Roots = Mapping[str, list[int]]
"""Process ids of a service by kind; their children are pixel children."""


def cpu_seconds(roots: Roots) -> dict[str, float]:
    """CPU seconds since each process began; children's that ended count, too."""
    taken: defaultdict[str, float] = defaultdict(float)
    for kind, pids in roots.items():
        for process in _living(pids):
            times = process.cpu_times()
            taken[kind] += times.user + times.system
            taken[PIXELS] += times.children_user + times.children_system
            for child in process.children(recursive=True):
                taken[PIXELS] += _own(child)
    return taken


def memory_mb(roots: Roots) -> float:
    """Resident memory of all of them, in MB; what is shared counts for each."""
    total = 0
    for pids in roots.values():
        for process in _living(pids):
            for one in (process, *process.children(recursive=True)):
                try:
                    total += one.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
    return total / 1e6


def _living(pids: list[int]) -> list[psutil.Process]:
    return [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]


def _own(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0
    return float(
        times.user + times.system + times.children_user + times.children_system
    )
