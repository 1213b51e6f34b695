"""Who spent how much processor time, as the kernel counts it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

import psutil

PIXELS: Final = "pixel children"
SERVICE: Final = "serve"
_ROLES: Final = {"pixtools.workers.child": PIXELS} | {
    verb: verb for verb in ("serve", "worker", "scheduler")
}


class Ledger:
    """Processor seconds of a family of processes since it was opened.

    Children that have ended are counted by their parent; which of ours end are pixel
    children.
    """

    def __init__(self, pids: Iterable[int]) -> None:
        """Watch these processes and all that descend from them."""
        self._roots = [psutil.Process(pid) for pid in pids]
        self._before = self._times()

    def seconds(self) -> Mapping[str, float]:
        """User and system time by role."""
        now = self._times()
        return {
            role: now.get(role, 0.0) - self._before.get(role, 0.0)
            for role in sorted(now.keys() | self._before.keys())
        }

    def _times(self) -> dict[str, float]:
        total: dict[str, float] = defaultdict(float)
        for root in self._roots:
            for process in (root, *root.children(recursive=True)):
                times = process.cpu_times()
                total[_role(process)] += times.user + times.system
                total[PIXELS] += times.children_user + times.children_system
        return total


def _role(process: psutil.Process) -> str:
    words = process.cmdline()
    return next((_ROLES[word] for word in words if word in _ROLES), SERVICE)
