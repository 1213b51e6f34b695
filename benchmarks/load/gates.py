"""What was promised of a service under load, and whether the numbers keep it."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

from benchmarks.load import seed
from benchmarks.load.figures import Run, least_waiting, percentile
from benchmarks.load.scenarios import ARRIVALS, LIGHTS, Findings, Paired
from benchmarks.verdicts import Verdict


def gates(found: Findings) -> list[Verdict]:
    """Hold the findings against the promises."""
    return [
        *_nothing_wrong(found.runs.values()),
        *_baseline(found),
        _starvation(found),
        *_faster_than_the_seed(found),
        *_leaner_than_the_seed(found),
    ]


def saturated(run: Run) -> int:
    """The fewest jobs that waited for a worker while the baseline's clients came."""
    arrivals = run.of(ARRIVALS).answers
    if not arrivals:
        return 0
    moments = [one.due for one in arrivals]
    return least_waiting(run.facts.values(), min(moments), max(moments))


def cpu_per_job(run: Run, *, workers_only: bool = False) -> float | None:
    """CPU seconds of PixTools' processes for each job; None where unseen."""
    kinds = {"worker", "ml", "pixels"} if workers_only else set(run.cpu)
    spent = sum(seconds for kind, seconds in run.cpu.items() if kind in kinds)
    return spent / run.done if spent and run.done else None


def drain_share(run: Run) -> float | None:
    """The median job's time by the time from the first request to the last result."""
    # Whoever was given up has waited that long at least.
    waits = [seconds for _, seconds, _ in run.waits]
    return statistics.median(waits) / run.all_done if waits else None


def _nothing_wrong(runs: Iterable[Run]) -> list[Verdict]:
    runs = list(runs)
    return [
        Verdict(
            what="5xx beside 503 with Retry-After, transport errors and refusals",
            bound=0,
            unit="answers",
            value=sum(run.errors for run in runs),
        ),
        Verdict(
            what="accepted jobs that did not succeed",
            bound=0,
            unit="jobs",
            value=sum(run.lost for run in runs),
        ),
        Verdict(
            what="second jobs for one Idempotency-Key",
            bound=0,
            unit="jobs",
            value=sum(run.duplicates for run in runs),
        ),
    ]


def _baseline(found: Findings) -> list[Verdict]:
    arrivals = found.baseline.of(ARRIVALS)
    full = saturated(found.baseline) > 0
    return [
        Verdict(
            what="submit p95, baseline, workers saturated throughout",
            bound=100,
            unit="ms",
            # A number from workers that rested would not be what was promised.
            value=percentile(arrivals.submits, 95) if full else None,
        )
    ]


def _starvation(found: Findings) -> Verdict:
    # Whoever was given up has waited that long at least.
    alone, beside = (
        percentile((seconds for _, seconds, _ in run.waits), 95)
        for run in (found.calm, found.starvation.of(LIGHTS))
    )
    return Verdict(
        what="p95 of light jobs beside heavy ones ÷ alone",
        bound=1.5,
        unit="×",
        value=beside / alone if alone and beside else None,
    )


def _faster_than_the_seed(found: Findings) -> list[Verdict]:
    flood = seed.FLOOD.now(found.light.floor).submit_p95
    eight = seed.TWO_AT_1024.now(found.two.floor).submit_p95
    return [
        Verdict(
            what="submit p95 of the spike ÷ the seed's at the same rate",
            bound=0.1,
            unit="×",
            value=_by(percentile(found.spike.submits, 95), flood),
        ),
        Verdict(
            what="submit p95 of eight clients with 12 MP ÷ the seed's",
            bound=0.1,
            unit="×",
            value=_by(percentile(found.two.run.submits, 95), eight),
        ),
        Verdict(
            what="median job of the spike ÷ the time until all were done",
            bound=0.5,
            unit="×",
            value=drain_share(found.spike),
        ),
    ]


def _leaner_than_the_seed(found: Findings) -> list[Verdict]:
    return [
        _leaner(found.two, 5, "12 MP to PNG and WebP at 1024"),
        _leaner(found.light, 1.5, "2 MP to WebP"),
    ]


def _leaner(pair: Paired, bound: float, job: str) -> Verdict:
    spent = cpu_per_job(pair.run)
    theirs = seed.jobs_per_cpu_second(pair.floor)
    return Verdict(
        what=f"jobs per CPU second ÷ the seed's, {job}",
        bound=bound,
        unit="×",
        value=None if spent is None else 1 / spent / theirs,
        at_least=True,
    )


def _by(value: float | None, other: float) -> float | None:
    return None if value is None else value / other
