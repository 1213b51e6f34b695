"""The pixel children of a service that do its heavy work."""

from __future__ import annotations

import os
import signal

from pixtools.testing.serving import Serving, eventually
from pixtools.workers.config import WorkersConfig

SECONDS = 60.0
"""Only a hang takes that long."""


def heavy_children(service: Serving) -> list[int]:
    """The pixel children for heavy work: they yield to the others."""
    nice = WorkersConfig().nice_heavy
    parent = os.getpriority(os.PRIO_PROCESS, service.process.pid)
    of = {pid: os.getpriority(os.PRIO_PROCESS, pid) for pid in service.pixel_children()}
    return [pid for pid, own in of.items() if own == min(19, parent + nice)]


def heavy_child(service: Serving) -> int:
    """The only child for heavy work, as soon as there is one."""
    found: list[int] = []

    def is_there() -> bool:
        found[:] = heavy_children(service)
        return len(found) == 1

    eventually(is_there, SECONDS, lambda: str(found))
    return found[0]


def kill_child(service: Serving, victim: int) -> None:
    """Kill a pixel child, and see it gone."""
    os.kill(victim, signal.SIGKILL)
    eventually(lambda: victim not in service.pixel_children(), SECONDS)
