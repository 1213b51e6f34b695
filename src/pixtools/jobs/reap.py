"""Taking up the work of those who are gone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pixtools.domain.errors import WorkerLost
from pixtools.domain.job import Stage
from pixtools.jobs.postpone import postpone
from pixtools.jobs.problems import problem_of
from pixtools.jobs.service import Service

AT_ONCE: Final = 100


def reap(service: Service) -> int:
    """Queue stages whose lease has run out again; how many.

    One whose attempts are used up fails as `worker_lost`; one whose job is to be
    canceled ends so. Several may reap at once: each lapse is settled by one of them.
    """
    with service.database.read() as tx:
        found = tx.stages.lapsed(service.clock.now(), AT_ONCE)
    return _take_up(service, found)


def release(service: Service, owner: str) -> int:
    """The same for owners known to be dead, whatever their lease; how many.

    `owner` is a name or the beginning of several (`house/` for `house/0`, …).
    """
    with service.database.read() as tx:
        found = tx.stages.lapsed(service.clock.now(), AT_ONCE, owner=owner)
    return _take_up(service, found)


def _take_up(service: Service, found: Sequence[Stage]) -> int:
    lost = problem_of(WorkerLost())
    return sum(postpone(service, stage, lost) for stage in found)
