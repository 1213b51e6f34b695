"""What jobs cost: written as they end, told by day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from pixtools.domain.errors import FieldError, InvalidRequest
from pixtools.domain.job import Job
from pixtools.domain.usage import DayUsage, day_of, metered
from pixtools.jobs.change import Change
from pixtools.jobs.service import Service

SHOWN_DAYS: Final = 30
"""How many days are told of unless someone asks for others."""
MOST_DAYS: Final = 366
"""How many days are told of at once."""
AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageReport:
    """A tenant's usage from `first` to `last`: each of these days, and all together."""

    first: date
    last: date
    days: Sequence[DayUsage]

    @property
    def total(self) -> DayUsage:
        """The sum of all days; its own `day` is the last one."""
        return DayUsage(
            day=self.last,
            jobs=sum(day.jobs for day in self.days),
            outputs=sum(day.outputs for day in self.days),
            pixels_processed=sum(day.pixels_processed for day in self.days),
            bytes_saved=sum(day.bytes_saved for day in self.days),
            compute_time_ms=sum(day.compute_time_ms for day in self.days),
        )


def meter(made: Change, job: Job) -> None:
    """Write what a job cost, in the transaction that ends it; harmless twice."""
    cost = metered(job, made.now)
    if cost:
        made.tx.usage.add(cost)


def usage_by_day(
    service: Service, tenant: str, first: date | None = None, last: date | None = None
) -> UsageReport:
    """A tenant's usage on each day from `first` to `last`, both included.

    Without them the last thirty days up to today. Raises InvalidRequest for days in
    the wrong order, or too many.
    """
    last = last or _default_last(service, first)
    first = first or _back(last, SHOWN_DAYS - 1)
    _check_range(first, last)
    with service.database.read() as tx:
        found = {day.day: day for day in tx.usage.by_day(tenant, first, last)}
    days = [first + timedelta(n) for n in range((last - first).days + 1)]
    shown = [found.get(day) or DayUsage(day=day) for day in days]
    return UsageReport(first=first, last=last, days=shown)


def forget_usage(service: Service) -> int:
    """Forget what is older than the operator keeps it; how many jobs' costs."""
    before = day_of(service.clock.now()) - service.rules.usage_retention
    gone = 0
    while True:
        with service.database.write() as tx:
            forgotten = tx.usage.forget(before, AT_ONCE)
        gone += forgotten
        if forgotten < AT_ONCE:
            return gone


def _default_last(service: Service, first: date | None) -> date:
    today = day_of(service.clock.now())
    return max(today, first) if first else today


def _back(day: date, days: int) -> date:
    return date.fromordinal(max(1, day.toordinal() - days))


def _check_range(first: date, last: date) -> None:
    if first > last:
        raise _wrong(f"Expected from to be no later than to but received {first}.")
    days = (last - first).days + 1
    if days > MOST_DAYS:
        raise _wrong(f"Expected at most {MOST_DAYS} days but received {days}.")


def _wrong(detail: str) -> InvalidRequest:
    return InvalidRequest(detail, fields=(FieldError("/from", detail),))
