"""The first PixTools, measured once on two cores; what it would do on this machine now.

Its service did 0.77 of the jobs per second that bare Pillow did on the same two cores,
at both jobs. That ratio is what carries over: machines differ and drift, so bare Pillow
does the same jobs in the same run as we do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from benchmarks.load.floor import Floor

OF_PILLOW: Final = 0.77
CORES: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The seed at one job, then: per second, workers' CPU, submits (ms)."""

    jobs_per_second: float
    worker_cpu_seconds: float
    submit_p50: float
    submit_p95: float

    @property
    def pillow_per_second(self) -> float:
        """What bare Pillow did on that machine, by the ratio."""
        return self.jobs_per_second / OF_PILLOW

    def now(self, floor: Floor) -> Measured:
        """The same on this machine: times stretch as bare Pillow's do."""
        stretch = self.pillow_per_second / floor.jobs_per_second
        pillow_cpu_seconds = CORES / self.pillow_per_second
        return Measured(
            jobs_per_second=OF_PILLOW * floor.jobs_per_second,
            worker_cpu_seconds=self.worker_cpu_seconds
            * (floor.cpu_seconds / pillow_cpu_seconds),
            submit_p50=self.submit_p50 * stretch,
            submit_p95=self.submit_p95 * stretch,
        )


def jobs_per_cpu_second(floor: Floor) -> float:
    """The seed's on this machine: its share of what bare Pillow gets from a core."""
    return OF_PILLOW / floor.cpu_seconds


TWO_AT_1024: Final = Measured(
    jobs_per_second=0.98, worker_cpu_seconds=1.71, submit_p50=482, submit_p95=709
)
"""40 × 12 MP to PNG and WebP at 1024, eight clients."""
FLOOD: Final = Measured(
    jobs_per_second=4.65, worker_cpu_seconds=0.375, submit_p50=994, submit_p95=1553
)
"""Thirty clients for 60 s, 2 MP to WebP; CPU is the middle of 0.34 to 0.41 s."""
FLOOD_RATE: Final = 28.5
"""Requests per second that those thirty clients got accepted."""
FLOOD_CLIENTS: Final = 30
FLOOD_DRAIN, FLOOD_JOB_P50 = 311.0, 329.0
"""Seconds from the flood's end until all was done, and of the median job."""
