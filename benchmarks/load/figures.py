"""Numbers from answers and documents; nothing here asks anybody anything."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.load.answers import ACCEPTED, ERRORS, REPLAYED, Answer, Driver

DONE = "succeeded"
GIVEN_UP = "canceled"
"""By the benchmark, because the run had to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A job as its document tells; moments in seconds since 1970."""

    job: str
    status: str
    created: float
    started: float | None
    finished: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What clients did to a service from `began` until all of it had `ended`.

    `cpu` is CPU seconds by kind of process, empty where they can't be seen.
    """

    answers: Sequence[Answer]
    facts: Mapping[str, Fact]
    began: float
    ended: float
    driver: Driver
    cpu: Mapping[str, float] = field(default_factory=dict)

    def of(self, *streams: str) -> Run:
        """The same, seen by the clients of some streams."""
        answers = [one for one in self.answers if one.stream in streams]
        jobs = {one.job for one in answers}
        return Run(
            answers=answers,
            facts={job: fact for job, fact in self.facts.items() if job in jobs},
            began=self.began,
            ended=self.ended,
            driver=self.driver,
        )

    @property
    def submits(self) -> list[float]:
        """Milliseconds of each request that was accepted."""
        return [one.seconds * 1000 for one in self.answers if one.kind == ACCEPTED]

    @property
    def results(self) -> list[float]:
        """Seconds from each request to its job's success."""
        return [seconds for _, seconds, done in self.waits if done]

    @property
    def waits(self) -> list[tuple[float, float, bool]]:
        """When each job was asked for after the begin, how long it took, if it did.

        A job that was given up has taken at least as long.
        """
        return [
            (one.due - self.began, fact.finished - one.due, fact.status == DONE)
            for one in self.answers
            if one.kind == ACCEPTED
            and (fact := self.facts.get(one.job or ""))
            and fact.finished is not None
        ]

    @property
    def kinds(self) -> Counter[str]:
        """How many answers of each kind."""
        return Counter(one.kind for one in self.answers)

    @property
    def errors(self) -> int:
        """Answers that are none: broken, refused, or lost on the way."""
        return sum(self.kinds[kind] for kind in ERRORS)

    @property
    def complaints(self) -> list[str]:
        """What the errors said, most frequent first."""
        said = Counter(
            f"{one.kind} {one.status or ''} {one.note}".strip()
            for one in self.answers
            if one.kind in ERRORS
        )
        return [f"{count} × {words}" for words, count in said.most_common(5)]

    @property
    def lost(self) -> int:
        """Accepted jobs that did not succeed, beside those that were given up."""
        jobs = {one.job for one in self.answers if one.kind in {ACCEPTED, REPLAYED}}
        found = [self.facts.get(job or "") for job in jobs]
        return sum(
            fact is None or fact.status not in {DONE, GIVEN_UP} for fact in found
        )

    @property
    def done(self) -> int:
        """Jobs that succeeded."""
        return self._count(DONE)

    @property
    def given_up(self) -> int:
        """Jobs that the benchmark canceled."""
        return self._count(GIVEN_UP)

    @property
    def duplicates(self) -> int:
        """Jobs beyond one for each Idempotency-Key, also those that no answer named."""
        keyed = [one for one in self.answers if one.key]
        if not keyed:
            return 0
        jobs = {one.job for one in keyed if one.job} | set(self.facts)
        return len(jobs) - len({one.key for one in keyed})

    @property
    def last_submit(self) -> float:
        """When the last request was answered, in seconds after the begin."""
        return max((one.due + one.seconds for one in self.answers), default=0) - (
            self.began
        )

    @property
    def all_done(self) -> float:
        """When the last job had its end, in seconds after the begin."""
        ends = [fact.finished for fact in self.facts.values() if fact.finished]
        return max(ends, default=self.began) - self.began

    @property
    def done_per_second(self) -> float:
        """Jobs that succeeded, by the time until the last of them."""
        return self.done / self.all_done if self.all_done else 0

    def _count(self, status: str) -> int:
        return sum(fact.status == status for fact in self.facts.values())


def percentile(values: Iterable[float], percent: float) -> float | None:
    """The least value that so many percent of them do not exceed; None of nothing."""
    ordered = sorted(values)
    if not ordered:
        return None
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


def depths(facts: Iterable[Fact], began: float) -> list[tuple[float, int, int]]:
    """How many jobs waited and how many were at work, at each change.

    From the documents' own moments, so that looking did not disturb.
    """
    changes = sorted(itertools.chain.from_iterable(map(_changes, facts)))
    series, waiting, working = [(0.0, 0, 0)], 0, 0
    for moment, waits, works in changes:
        waiting, working = waiting + waits, working + works
        series.append((moment - began, waiting, working))
    return series


def least_waiting(facts: Iterable[Fact], start: float, end: float) -> int:
    """The fewest jobs that waited at any moment between two (seconds since 1970)."""
    series = depths(facts, 0)
    before = [waiting for moment, waiting, _ in series if moment <= start][-1:]
    return min(
        before + [waiting for moment, waiting, _ in series if start < moment < end]
    )


def _changes(fact: Fact) -> Iterator[tuple[float, int, int]]:
    yield fact.created, 1, 0
    if fact.started is not None:
        yield fact.started, -1, 1
        if fact.finished is not None:
            yield fact.finished, 0, -1
    elif fact.finished is not None:
        yield fact.finished, -1, 0
