"""What was promised, and whether the numbers keep it."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.jobs import FOUR, WEBP_EQUAL, WEBP_OWN
from benchmarks.measure import Result
from benchmarks.peers import FLOOR, OURS

Results = Mapping[str, Mapping[str, Result]]
"""By job, then by contender."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One promise: what is compared, the bound, and the number, if there is one."""

    what: str
    bound: float
    unit: str
    value: float | None
    strict: bool = False
    at_least: bool = False
    """The bound is the least, not the most."""

    @property
    def word(self) -> str:
        """`met`, `MISSED`, or `not measured`."""
        if self.value is None:
            return "not measured"
        if self.at_least:
            kept = self.value >= self.bound
        else:
            kept = self.value < self.bound if self.strict else self.value <= self.bound
        return "met" if kept else "MISSED"

    @property
    def line(self) -> str:
        """The verdict for a terminal."""
        value = "–" if self.value is None else f"{self.value:.2f}"
        bound = f"{self.sign} {self.bound:g} {self.unit}"
        return f"{self.word:12} {value:>7}  ({bound})  {self.what}"

    @property
    def sign(self) -> str:
        """How the bound is meant."""
        if self.at_least:
            return "≥"
        return "<" if self.strict else "≤"


def verdicts(results: Results) -> list[Verdict]:
    """Hold the results against the targets of the design."""
    four = results.get(FOUR, {})
    ours = four.get(OURS)
    measured = ours is not None and bool(ours.shifts)
    return [
        _ratio(four, "sharp", 0.5),
        _ratio(four, "vipsthumbnail", 0.3),
        _ratio(four, FLOOR, 2.0),
        Verdict(
            what="peak RSS of the worker, four derivatives of 12 MP",
            bound=60,
            unit="MB",
            value=ours.peak_mb if ours and measured else None,
        ),
        Verdict(
            what="RSS of the worker afterwards",
            bound=35,
            unit="MB",
            value=ours.after_mb if ours and measured else None,
            strict=True,
        ),
        _ratio(
            results.get(WEBP_OWN, {}),
            "sharp",
            1.0,
            job="12 MP to 1280 WebP, everyone's own effort",
            strict=True,
        ),
        # The same pixels into the same encoder: level, and what remains is noise.
        _ratio(
            results.get(WEBP_EQUAL, {}),
            "sharp",
            1.1,
            job="12 MP to 1280 WebP, equal effort",
        ),
    ]


def ratio(ours: Result | None, theirs: Result | None) -> float | None:
    """Our CPU time by theirs, None if one is missing: the median of the rounds' ratios.

    Within a round the two ran one after the other, under nearly the same load.
    """
    if not ours or not theirs or not ours.shifts or not theirs.shifts:
        return None
    rounds = zip(ours.rounds_ms, theirs.rounds_ms, strict=True)
    return statistics.median(mine / others for mine, others in rounds)


def _ratio(
    job_results: Mapping[str, Result],
    peer: str,
    bound: float,
    *,
    job: str = "four derivatives of 12 MP",
    strict: bool = False,
) -> Verdict:
    return Verdict(
        what=f"CPU time, PixTools ÷ {peer}, {job}",
        bound=bound,
        unit="×",
        value=ratio(job_results.get(OURS), job_results.get(peer)),
        strict=strict,
    )
