"""The in-memory twin of Usages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import groupby

from pixtools.domain.usage import DayUsage, Metered
from pixtools.testing.memory_facts import State


class MemoryUsages:
    """What ended jobs cost."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, cost: Metered) -> bool:
        """Keep what a job cost, once."""
        if cost.job_id in self._state.costs:
            return False
        self._state.costs[cost.job_id] = cost
        return True

    def by_day(self, tenant: str, first: date, last: date) -> Sequence[DayUsage]:
        """A tenant's days on which a job ended, in order."""
        mine = [
            cost
            for cost in self._state.costs.values()
            if cost.tenant == tenant and first <= cost.day <= last
        ]
        mine.sort(key=lambda cost: cost.day)
        return [
            _summed(day, list(costs))
            for day, costs in groupby(mine, lambda cost: cost.day)
        ]

    def forget(self, before: date, limit: int) -> int:
        """Forget the costs of jobs that ended before a day; how many."""
        costs = self._state.costs
        old = [job_id for job_id, cost in costs.items() if cost.day < before][:limit]
        for job_id in old:
            del costs[job_id]
        return len(old)


def _summed(day: date, costs: Sequence[Metered]) -> DayUsage:
    return DayUsage(
        day=day,
        jobs=len(costs),
        outputs=sum(cost.outputs for cost in costs),
        pixels_processed=sum(cost.pixels_processed for cost in costs),
        bytes_saved=sum(cost.bytes_saved for cost in costs),
        compute_time_ms=sum(cost.compute_time_ms for cost in costs),
    )
