"""Bare Pillow on every core: the yardstick that the seed was measured with, too."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from benchmarks.jobs import Wanted
from benchmarks.stopwatch import Order, Shift

TWO_AT_1024: Final = (
    Wanted(id="png", format="png", side=1024),
    Wanted(id="webp", format="webp", side=1024, quality=80),
)
WEBP: Final = (Wanted(id="webp", format="webp", quality=80),)
_PATIENCE_SECONDS: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """Bare Pillow, one process for each core: what a job takes, and all of them do."""

    cpu_seconds: float
    jobs_per_second: float


def measure(photo: Path, wanted: Sequence[Wanted], repeats: int, folder: Path) -> Floor:
    """Let as many processes as there are cores do the job, all at once.

    Each output decodes the photo anew with Pillow's own defaults, as the seed's did.
    Importing Pillow is not counted.
    """
    cores = os.cpu_count() or 1
    running = [
        _started(photo, wanted, repeats, folder / f"floor-{number}")
        for number in range(cores)
    ]
    shifts = [_said(process) for process in running]
    return Floor(
        cpu_seconds=statistics.mean(ms for shift in shifts for ms in shift["cpu_ms"])
        / 1000,
        jobs_per_second=sum(1000 / statistics.mean(one["wall_ms"]) for one in shifts),
    )


def mean(*floors: Floor) -> Floor:
    """Of measurements before and after something."""
    return Floor(
        cpu_seconds=statistics.mean(one.cpu_seconds for one in floors),
        jobs_per_second=statistics.mean(one.jobs_per_second for one in floors),
    )


def _started(
    photo: Path, wanted: Sequence[Wanted], repeats: int, out: Path
) -> subprocess.Popen[str]:
    out.mkdir(parents=True, exist_ok=True)
    told = Order(
        source=str(photo.absolute()),
        out=str(out),
        repeats=repeats,
        wanted=[asdict(one) for one in wanted],
    )
    words = [sys.executable, "-m", "benchmarks.contenders.pillow", json.dumps(told)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def _said(process: subprocess.Popen[str]) -> Shift:
    said, _ = process.communicate(timeout=_PATIENCE_SECONDS)
    if process.returncode:
        sys.exit("Bare Pillow failed, see above.")
    shift: Shift = json.loads(said.strip().splitlines()[-1])
    return shift
