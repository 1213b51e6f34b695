"""The report in Markdown: every number of it was measured in the run that wrote it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from benchmarks.load import seed
from benchmarks.load.answers import ACCEPTED, BUSY, IN_FLIGHT, REPLAYED
from benchmarks.load.figures import Run, depths, percentile
from benchmarks.load.floor import Floor
from benchmarks.load.gates import cpu_per_job, gates, saturated
from benchmarks.load.scenarios import ARRIVALS, HEAVIES, LIGHTS, Findings, Paired
from benchmarks.load.words import ABOUT, BARE_STORE, READING, THE_SEED
from benchmarks.report import listed, table, targets

ANSWERS = ["", "requests", "accepted", "replayed", "in flight", "later", "errors"]
TIMES = [
    *("", "submit p50 ms", "p95", "p99"),
    *("result p50 s", "p95", "p99", "jobs/s", "most waiting", "all done after s"),
]


def document(
    found: Findings, facts: Mapping[str, str], plots: Mapping[str, str]
) -> str:
    """The whole report; `plots` are paths relative to it, by run."""
    blocks = [
        "# The service under load",
        "Written by `make loadtest`; do not edit.",
        listed(facts),
        "## Gates",
        table(*targets(gates(found))),
        "## How to read this",
        READING,
        *_scenarios(found, plots),
        *_beside_the_seed(found),
        *_drivers(found),
    ]
    return "\n\n".join(blocks) + "\n"


def _scenarios(found: Findings, plots: Mapping[str, str]) -> Iterator[str]:
    for name, runs in _parts(found).items():
        yield f"## {name.capitalize()}"
        yield ABOUT[name].format(
            waiting=saturated(found.baseline), share=_share(found.spike)
        )
        yield table(ANSWERS, [_answers(part, run) for part, run in runs.items()])
        yield table(TIMES, [_times(part, run) for part, run in runs.items()])
        complaints = [line for run in runs.values() for line in run.complaints]
        if complaints:
            yield "Errors: " + "; ".join(complaints)
        if name in plots:
            yield f"![{name}]({plots[name]})"


def _parts(found: Findings) -> dict[str, dict[str, Run]]:
    """What each section shows: its runs, or streams of one run."""
    baseline, mixed = found.baseline, found.starvation
    return {
        "baseline": {"arrivals": baseline.of(ARRIVALS), "with the others": baseline},
        "spike": {"spike": found.spike},
        "rush": {"rush": found.rush},
        "retry storm": {"storm": found.storm},
        "starvation mix": {
            "light jobs alone": found.calm,
            "light jobs beside heavy ones": mixed.of(LIGHTS),
            "the heavy ones": mixed.of(HEAVIES),
        },
    }


def _answers(name: str, run: Run) -> list[str]:
    kinds = run.kinds
    shown = (kinds[ACCEPTED], kinds[REPLAYED], kinds[IN_FLIGHT], kinds[BUSY])
    return [name, *map(str, (len(run.answers), *shown, run.errors))]


def _times(name: str, run: Run) -> list[str]:
    submits = [_number(percentile(run.submits, p), 0) for p in (50, 95, 99)]
    results = [_number(percentile(run.results, p), 2) for p in (50, 95, 99)]
    most = max(waiting for _, waiting, _ in depths(run.facts.values(), run.began))
    rest = [f"{run.done_per_second:.1f}", str(most), f"{run.all_done:.0f}"]
    return [name, *submits, *results, *rest]


def _beside_the_seed(found: Findings) -> Iterator[str]:
    yield "## Beside the seed"
    yield THE_SEED
    pairs = {
        "12 MP to PNG and WebP at 1024": (found.two, seed.TWO_AT_1024),
        "2 MP to WebP": (found.light, seed.FLOOD),
    }
    head = ["", "jobs/s", "CPU s per job", "of workers", "submit p50 ms", "p95"]
    rows: list[list[str]] = []
    for job, (pair, then) in pairs.items():
        rows += _compared(job, pair, then, found)
    yield table(head, rows)
    if found.puts:
        p50, p95 = (_number(percentile(found.puts, p), 0) for p in (50, 95))
        yield BARE_STORE.format(p50=p50, p95=p95)
    kinds = sorted({kind for pair, _ in pairs.values() for kind in pair.run.cpu})
    if kinds:
        yield "CPU milliseconds per job, by kind of process:"
        costs = [_costs(job, pair.run, kinds) for job, (pair, _) in pairs.items()]
        yield table(["", *kinds], costs)


def _compared(
    job: str, pair: Paired, then: seed.Measured, found: Findings
) -> Iterator[list[str]]:
    run = found.spike if then is seed.FLOOD else pair.run
    now = then.now(pair.floor)
    yield _row(f"{job}: PixTools", pair.run.done_per_second, cpu_per_job(pair.run),
               cpu_per_job(pair.run, workers_only=True),
               median(run.submits) if run.submits else None,
               percentile(run.submits, 95))  # fmt: skip
    yield _row("the seed, here and now", now.jobs_per_second,
               1 / seed.jobs_per_cpu_second(pair.floor),
               now.worker_cpu_seconds, now.submit_p50, now.submit_p95)  # fmt: skip
    yield _row("the seed, as measured then", then.jobs_per_second, None,
               then.worker_cpu_seconds, then.submit_p50, then.submit_p95)  # fmt: skip
    yield _pillow(pair.floor)


def _pillow(floor: Floor) -> list[str]:
    numbers = (floor.jobs_per_second, floor.cpu_seconds)
    return _row("bare Pillow", *numbers, None, None, None)


def _row(name: str, *numbers: float | None) -> list[str]:
    return [name, *(map(_number, numbers, (2, 3, 3, 0, 0)))]


def _costs(job: str, run: Run, kinds: Sequence[str]) -> list[str]:
    done = run.done or 1
    return [job, *(f"{run.cpu.get(kind, 0) / done * 1000:.1f}" for kind in kinds)]


def _drivers(found: Findings) -> Iterator[str]:
    yield "## The clients themselves"
    yield (
        "They run in one process beside what they measure: the share of a core that "
        "they took, and how much too late they woke up (ms)."
    )
    rows = [
        [
            name,
            f"{run.driver.cpu / run.driver.wall:.1%}",
            f"{run.driver.late_p95 * 1000:.1f}",
            f"{run.driver.late_most * 1000:.1f}",
        ]
        for name, run in found.runs.items()
    ]
    yield table(["", "of a core", "late p95", "latest"], rows)


def _share(run: Run) -> str:
    """Of the time after the last request, what the median job took."""
    after = run.all_done - run.last_submit
    waits = [seconds for _, seconds, _ in run.waits]
    return f"{median(waits) / after:.2f}" if waits and after > 0 else "–"


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
