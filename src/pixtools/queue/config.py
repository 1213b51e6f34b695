"""What the runners of one process may do."""

from __future__ import annotations

from dataclasses import dataclass

from pixtools.domain.job import Lane


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerConfig:
    """`runners` threads take stages of `lanes`; times are in seconds.

    When the process stops, a stage has `finish_within` to end; then it is given back.
    `backstop` is how long a runner sleeps at most when no bell rings, and
    `upkeep` the time between two rounds of reaping and expiring.
    """

    runners: int = 2
    lanes: tuple[Lane, ...] = ("default_queue",)
    backstop: float = 2.0
    upkeep: float = 10.0
    expiry: float = 600.0
    finish_within: float = 3.0
    stop_within: float = 20.0
