"""Measure the price of being a service: `python -m benchmarks.price`.

Writes docs/reports/price.md: processor time inside the pixel children against that of
all processes, throughput against the bare engine's, and where the rest goes.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import machine
from benchmarks.price.clients import drive, form
from benchmarks.price.report import document, verdicts
from benchmarks.price.rounds import CLIENTS, Priced, priced
from benchmarks.price.where import Profile, profile
from benchmarks.price.work import GALLERY, SMOKE, WORKS, Work
from benchmarks.sources import source
from pixtools.testing.serving import serving

ROOT: Final = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured: jobs of each turn, rounds of turns."""

    works: Sequence[Work]
    profiled: Work
    jobs: int
    rounds: int


# Long turns: in each of them the line fills and empties once, which is no part of a
# rate.
FULL: Final = Extent(WORKS, GALLERY, jobs=80, rounds=5)
QUICK: Final = Extent((SMOKE,), SMOKE, jobs=6, rounds=1)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, write, and print what was met and what was missed."""
    asked = _parser().parse_args(arguments)
    extent = QUICK if asked.quick else FULL
    load_before = machine.load()
    folder = asked.work / "sources"
    # What the service prints belongs to tests that fail, not to a measurement.
    with redirect_stdout(io.StringIO()):
        measured = _measured(extent, folder)
        profiled = _profiled(extent, folder)
    facts = {
        **machine.describe(),
        "load average before and after": f"{load_before}; {machine.load()}",
        "clients": f"{CLIENTS}, on the same cores",
    }
    asked.report.parent.mkdir(parents=True, exist_ok=True)
    text = document(measured, profiled, facts, asked.report.parent / "img")
    asked.report.write_text(text, "utf-8")
    for verdict in verdicts(measured):
        print(verdict.line)
    print(f"The whole report: {asked.report}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.price", description=__doc__
    )
    out, report = ROOT / "benchmarks" / "out", ROOT / "docs" / "reports" / "price.md"
    parser.add_argument("--quick", action="store_true", help="a smoke test")
    parser.add_argument("--work", type=Path, default=out, help="folder for pictures")
    parser.add_argument("--report", type=Path, default=report, help="file to write")
    return parser


def _measured(extent: Extent, folder: Path) -> list[Priced]:
    done = []
    with serving() as service:
        for work in extent.works:
            _say(f"{work.title}: {extent.rounds} rounds of {extent.jobs} jobs")
            done.append(priced(work, service, folder, extent.jobs, extent.rounds))
    return done


def _profiled(extent: Extent, folder: Path) -> Profile:
    work = extent.profiled
    _say(f"{work.title}: where the rest goes")
    sent = form(source(work.picture, folder), work.fields)
    return profile(lambda url: drive(url, sent, extent.jobs, CLIENTS), folder)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
