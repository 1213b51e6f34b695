"""What the kernel is told about a pixel child, by the child itself.

The parent kills a child that takes too long; these bounds hold where it can't: when it
is stopped, dead, or slower than the memory that a hostile image eats.
"""

from __future__ import annotations

import contextlib
import ctypes
import resource
import signal
from math import ceil
from pathlib import Path
from typing import Final

from pixtools.domain.limits import MIB, Limits

_PR_SET_PDEATHSIG: Final = 1
_OOM_SCORE: Final = 500
"""Of -1000..1000: out of memory, the kernel ends a child before its parent."""
_DATA_SLACK: Final = 256 * MIB
_BYTES_PER_PIXEL: Final = 8
"""Sixteen bits of red, green, blue and alpha, the largest that is ever written."""


def bound_process() -> None:
    """Die with the parent, be the first to go, leave no core, and ignore Ctrl-C.

    SIGINT and SIGTERM come to all processes of a terminal or a service at once: it is
    the parent who decides whether work in progress is finished.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _libc().prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _prefer_for_oom()


def bound_job(limits: Limits, cpu_seconds: float, base_bytes: int) -> None:
    """Bound one job's CPU time, memory and files; soft limits, set anew for each job.

    `base_bytes` is what the process took before its first job. RLIMIT_DATA counts
    memory that is written to, where RLIMIT_AS would count mapped files and reserves.
    """
    used = resource.getrusage(resource.RUSAGE_SELF)
    _soften(resource.RLIMIT_CPU, ceil(used.ru_utime + used.ru_stime + cpu_seconds))
    _soften(
        resource.RLIMIT_DATA, base_bytes + 2 * limits.memory_budget_bytes + _DATA_SLACK
    )
    _soften(resource.RLIMIT_FSIZE, limits.max_pixels * _BYTES_PER_PIXEL + 64 * MIB)


def forget_peak() -> None:
    """Let the peak of resident memory count from now on, so that it is the job's."""
    with contextlib.suppress(OSError):  # a few sandboxes forbid it
        Path("/proc/self/clear_refs").write_text("5", "ascii")


def peak_bytes() -> int:
    """The most resident memory since `forget_peak`."""
    return _memory("VmHWM:")


def resident_bytes() -> int:
    """Memory that this process occupies now."""
    return _memory("VmRSS:")


def data_bytes() -> int:
    """Memory of this process that counts towards RLIMIT_DATA."""
    return _memory("VmData:")


def give_back_memory() -> None:
    """Return what jobs have freed to the kernel (some 2 ms)."""
    _libc().malloc_trim(0)


def _soften(kind: int, bound: int) -> None:
    hard = resource.getrlimit(kind)[1]
    if hard != resource.RLIM_INFINITY:
        bound = min(bound, hard)
    resource.setrlimit(kind, (bound, hard))


def _memory(name: str) -> int:
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    return 0


def _prefer_for_oom() -> None:
    with contextlib.suppress(OSError):  # a hint that some containers don't take
        Path("/proc/self/oom_score_adj").write_text(str(_OOM_SCORE), "ascii")


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)
