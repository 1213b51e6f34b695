"""Contenders take turns, each time in a fresh process, so that noise hits all alike."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.jobs import Job
from benchmarks.peers import Contender
from benchmarks.sources import source
from benchmarks.stopwatch import Order, Shift

_ENVIRONMENT: Final = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""NumPy, which some contenders import, would start a thread for each core."""
_PATIENCE_SECONDS: Final = 600


@dataclass(slots=True)
class Result:
    """All shifts of one contender at one job, or why it did none."""

    contender: Contender
    shifts: list[Shift] = field(default_factory=list)
    trouble: str | None = None

    @property
    def cold_ms(self) -> float:
        """CPU time of a process's first time, median over processes."""
        return statistics.median(shift["cpu_ms"][0] for shift in self.shifts)

    @property
    def cpu_ms(self) -> float:
        """CPU time of a warm process, median over all times but the first."""
        return statistics.median(self._warm("cpu_ms"))

    @property
    def rounds_ms(self) -> list[float]:
        """CPU time of each round's warm process, medians."""
        series = (shift["cpu_ms"] for shift in self.shifts)
        return [statistics.median(times[1:] or times) for times in series]

    @property
    def best_ms(self) -> float:
        """CPU time of the least disturbed time."""
        return min(self._warm("cpu_ms"))

    @property
    def wall_ms(self) -> float:
        """Wall time of a warm process, median."""
        return statistics.median(self._warm("wall_ms"))

    @property
    def peak_mb(self) -> float:
        """The highest resident memory that any process came to."""
        return max(shift["peak_mb"] for shift in self.shifts)

    @property
    def after_mb(self) -> float:
        """Resident memory after the work, median over processes."""
        return statistics.median(shift["after_mb"] for shift in self.shifts)

    @property
    def files(self) -> dict[str, Path]:
        """The files of the last shift."""
        return {id: Path(path) for id, path in self.shifts[-1]["files"].items()}

    def _warm(self, kind: str) -> list[float]:
        times: list[float] = []
        for shift in self.shifts:
            series = shift["cpu_ms"] if kind == "cpu_ms" else shift["wall_ms"]
            times += series[1:] or series
        return times


def measure(
    job: Job, contenders: Sequence[Contender], folder: Path, say: Callable[[str], None]
) -> list[Result]:
    """Let every contender that takes the job do it, by turns, `job.rounds` times."""
    results = [
        Result(one, trouble=one.missing()) for one in contenders if one.takes(job)
    ]
    pictures = folder / "sources"
    told = _order(job, source(job.source, pictures))
    for number in range(job.rounds):
        say(f"{job.title}: round {number + 1} of {job.rounds}")
        for result in results:
            if result.trouble is None:
                _take_turn(result, told, folder / job.name)
    return results


def _order(job: Job, path: Path) -> Order:
    wanted = [asdict(one) for one in job.wanted]
    return Order(
        source=str(path.absolute()), out="", repeats=job.repeats, wanted=wanted
    )


def _take_turn(result: Result, told: Order, folder: Path) -> None:
    out = (folder / result.contender.name).absolute()
    out.mkdir(parents=True, exist_ok=True)
    told = {**told, "out": str(out)}
    answer = subprocess.run(
        [*result.contender.command, json.dumps(told)],
        env={**os.environ, **_ENVIRONMENT},
        capture_output=True,
        text=True,
        timeout=_PATIENCE_SECONDS,
        check=False,
    )
    if answer.returncode:
        result.trouble = f"it failed: {_reason(answer.stderr)}"
        result.shifts.clear()
        return
    shift: Shift = json.loads(answer.stdout.strip().splitlines()[-1])
    result.shifts.append(shift)


def _reason(said: str) -> str:
    """The line of a traceback that names the error, or else the last one."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    named = [line for line in lines if "Error" in line.split(" ")[0]]
    return (named or lines or ["it said nothing"])[-1]
