"""Bare engine and service take turns, so that noise hits both alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from benchmarks.price.bare import bare_engine
from benchmarks.price.clients import Driver, drive, form
from benchmarks.price.ledger import PIXELS, Ledger
from benchmarks.price.work import Work
from benchmarks.sources import source
from pixtools.testing.serving import Serving

CHILDREN: Final = 2
CLIENTS: Final = 3 * CHILDREN


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Some jobs in a row: wall seconds, and processor seconds by role."""

    jobs: int
    wall: float
    spent: Mapping[str, float]

    @property
    def rate(self) -> float:
        """Jobs per second."""
        return self.jobs / self.wall

    @property
    def pixels_ms(self) -> float:
        """Processor time of the pixel children for one job."""
        return self.spent[PIXELS] / self.jobs * 1000

    @property
    def beside_ms(self) -> float:
        """Processor time of all other processes for one job."""
        return sum(self.spent.values()) / self.jobs * 1000 - self.pixels_ms

    @property
    def share(self) -> float:
        """The part of all processor time that the pixel children spent."""
        return self.pixels_ms / (self.pixels_ms + self.beside_ms)

    @property
    def per_cpu_second(self) -> float:
        """Jobs for one second of processor time, wherever it was spent."""
        return 1000 / (self.pixels_ms + self.beside_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """The bare engine's turn and the service's, one after the other."""

    bare: Turn
    served: Turn
    clients_ms: float

    @property
    def kept(self) -> float:
        """The service's throughput, as a part of the bare engine's."""
        return self.served.rate / self.bare.rate


@dataclass(frozen=True, slots=True)
class Priced:
    """What was measured of one kind of work."""

    work: Work
    rounds: Sequence[Round]

    def median(self, number: Callable[[Round], float]) -> float:
        """The median over the rounds."""
        return statistics.median(number(one) for one in self.rounds)


def priced(
    work: Work, service: Serving, folder: Path, jobs: int, rounds: int
) -> Priced:
    """Let engine and service take turns at a kind of work."""
    picture = source(work.picture, folder)
    sent = form(picture, work.fields)
    with ExitStack() as open_now:
        bare = open_now.enter_context(bare_engine(picture, work.plan, CHILDREN))

        def served(count: int) -> None:
            drive(service.url, sent, count, CLIENTS)

        for warm in (bare, served):
            warm(CLIENTS)
        done = [_round(bare, served, service, jobs) for _ in range(rounds)]
    return Priced(work, done)


def _round(bare: Driver, served: Driver, service: Serving, jobs: int) -> Round:
    alone = _turn(bare, jobs, _own_children())
    before = time.process_time()
    with_service = _turn(served, jobs, [service.process.pid])
    clients = (time.process_time() - before) / jobs * 1000
    return Round(bare=alone, served=with_service, clients_ms=clients)


def _own_children() -> list[int]:
    """The bare engine's; the service, which is our child too, has others."""
    return [
        child.pid
        for child in psutil.Process().children()
        if "pixtools.workers.child" in child.cmdline()
    ]


def _turn(work: Driver, jobs: int, pids: Sequence[int]) -> Turn:
    ledger, started = Ledger(pids), time.monotonic()
    work(jobs)
    return Turn(jobs=jobs, wall=time.monotonic() - started, spent=ledger.seconds())
