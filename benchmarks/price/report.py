"""The report: every number of it was measured in the run that wrote it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.price.plot import draw
from benchmarks.price.rounds import Priced
from benchmarks.price.where import Profile, Shares
from benchmarks.report import listed, table, targets
from benchmarks.verdicts import Verdict

_READING: Final = """\
*Bare* is the engine without a service: the same two pixel children, fed with the same
plans from the same file, nothing kept. *Served* is the embedded service: six clients
POST the photo as a form and ask with `?wait=` until job and archive are done. The two
took turns; every number is the median of the rounds. Processor time is the kernel's
count of user and system time for each process, so other load on the machine moves it
little, but throughput a lot. *Beside* is everything that is no pixel child. The clients
run on the same two cores and take what *clients* says, which is counted to nobody."""

_SHARES: Final = """\
Shares of the parent's processor time, from a run of its own under a profiler that
counts the time of each thread (waiting left out). It costs about as much as what it
watches, small functions more than large ones: read these as a map, not as a bill."""


def document(
    measured: Sequence[Priced],
    profiled: Profile,
    facts: Mapping[str, str],
    pictures: Path,
) -> str:
    """The whole report; its plot goes to the folder `pictures`, beside it."""
    blocks = [
        "# The price of being a service",
        "Written by `python -m benchmarks.price`; do not edit.",
        listed({"date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", **facts}),
        "## Targets",
        table(*targets(verdicts(measured))),
        *draw(measured, profiled, pictures),
        "## Processor time of one job",
        table(*_costs(measured)),
        "## Throughput on two cores",
        table(*_rates(measured)),
        _READING,
        "## Where the rest goes",
        table(["step", "share"], _rows(profiled.steps)),
        table(["whose code", "share"], _rows(profiled.rooms)),
        _SHARES,
    ]
    return "\n\n".join(blocks) + "\n"


def verdicts(measured: Sequence[Priced]) -> list[Verdict]:
    """What the first kind of work was to cost at most."""
    first = measured[0]
    return [
        Verdict(
            what=f"processor time beside the pixels, {first.work.title}",
            bound=15,
            unit="% of all",
            value=100 - 100 * first.median(lambda one: one.served.share),
        ),
        Verdict(
            what=f"throughput lost against the bare engine, {first.work.title}",
            bound=15,
            unit="%",
            value=100 - 100 * first.median(lambda one: one.kept),
        ),
    ]


def _costs(measured: Sequence[Priced]) -> tuple[list[str], list[list[str]]]:
    head = ["ms", "pixels, bare", "pixels, served", "beside", "pixels' share",
            "jobs per CPU second", "clients"]  # fmt: skip
    rows = [
        [
            one.work.title,
            f"{one.median(lambda r: r.bare.pixels_ms):.0f}",
            f"{one.median(lambda r: r.served.pixels_ms):.0f}",
            f"{one.median(lambda r: r.served.beside_ms):.1f}",
            f"{one.median(lambda r: r.served.share):.3f}",
            f"{one.median(lambda r: r.served.per_cpu_second):.2f}",
            f"{one.median(lambda r: r.clients_ms):.1f}",
        ]
        for one in measured
    ]
    return head, rows


def _rates(measured: Sequence[Priced]) -> tuple[list[str], list[list[str]]]:
    head = ["jobs per second", "bare", "served", "served ÷ bare", "least", "most"]
    rows = []
    for one in measured:
        kept = sorted(each.kept for each in one.rounds)
        rows.append(
            [
                one.work.title,
                f"{one.median(lambda r: r.bare.rate):.2f}",
                f"{one.median(lambda r: r.served.rate):.2f}",
                f"{one.median(lambda r: r.kept):.2f}",
                f"{kept[0]:.2f}",
                f"{kept[-1]:.2f}",
            ]
        )
    return head, rows


def _rows(shares: Shares) -> list[list[str]]:
    ordered = sorted(shares.items(), key=lambda item: -item[1])
    return [[name, f"{100 * share:.1f} %"] for name, share in ordered]
