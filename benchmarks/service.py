"""Measure the embedded service: `python -m benchmarks.service`.

Writes docs/reports/service.md and prints the targets: what a job costs beside its
pixels, and what a service costs that has nothing to do.
"""

from __future__ import annotations

import argparse
import io
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psutil

from benchmarks import machine
from benchmarks.report import listed, table, targets
from benchmarks.sources import source
from benchmarks.verdicts import Verdict
from pixtools.domain.limits import Limits
from pixtools.domain.plan import Encode, OutputPlan, RenderPlan
from pixtools.testing.serving import Serving, serving
from pixtools.workers.config import WorkersConfig
from pixtools.workers.pool import ProcessRenderer

ROOT: Final = Path(__file__).resolve().parent.parent
_BREATH_SECONDS: Final = 0.3
"""Between jobs, so that the archive of one does not slow the next."""
_TIMEOUT_SECONDS: Final = 60
_READING: Final = """\
*Service* is the time from the request to the first answer that says `COMPLETED`, as a
client sees it; *engine* is the same work asked of a warm pixel child without a service.
Both take turns with the same photo. The difference is the upload, three transactions on
disk, and the way of the bytes in and out. *Idle* is the sum over all processes of the
service, after those jobs; PSS counts shared pages once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """A service that has nothing to do: cores in use, memory in MB, its processes."""

    cores: float
    rss_mb: float
    pss_mb: float
    processes: int


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, write, and print what was met and what was missed."""
    asked = _parser().parse_args(arguments)
    picture = source("small" if asked.quick else "2mp", asked.work / "sources")
    jobs, idle_seconds = (3, 2.0) if asked.quick else (asked.jobs, 20.0)
    # What the service prints belongs to tests that fail, not to a measurement.
    with redirect_stdout(io.StringIO()), serving() as service:
        with _engine() as engine:
            pairs = [
                (_served(service, picture), engine(picture)) for _ in range(jobs + 1)
            ]
        idle = _idle(service, idle_seconds)
    text = _document(pairs[1:], idle, picture)
    asked.report.parent.mkdir(parents=True, exist_ok=True)
    asked.report.write_text(text, "utf-8")
    for verdict in _verdicts(pairs[1:], idle):
        print(verdict.line)
    print(f"The whole report: {asked.report}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.service", description=__doc__
    )
    out, report = ROOT / "benchmarks" / "out", ROOT / "docs" / "reports" / "service.md"
    parser.add_argument("--quick", action="store_true", help="a smoke test")
    parser.add_argument("--jobs", type=int, default=20, help="jobs to time")
    parser.add_argument("--work", type=Path, default=out, help="folder for pictures")
    parser.add_argument("--report", type=Path, default=report, help="file to write")
    return parser


def _served(service: Serving, picture: Path) -> float:
    """Milliseconds from POST to COMPLETED."""
    content = picture.read_bytes()
    time.sleep(_BREATH_SECONDS)
    started = time.perf_counter()
    answer = service.http.post(
        "/api/process",
        files={"file": (picture.name, content, "image/jpeg")},
        data={"operations": '["webp"]'},
    )
    answer.raise_for_status()
    job = answer.json()["job_id"]
    service.http.get(f"/v1/jobs/{job}", params={"wait": 30})
    status = service.http.get(f"/api/jobs/{job}").json()["status"]
    taken = (time.perf_counter() - started) * 1000
    if status != "COMPLETED":
        sys.exit(f"Expected COMPLETED for the job {job} but it is {status}.")
    return taken


@contextmanager
def _engine() -> Iterator[Callable[[Path], float]]:
    """A warm pixel child; calling it gives the milliseconds of one render."""
    webp = OutputPlan(
        id="webp", action="convert", encode=Encode(format="webp", quality=80)
    )
    plan = RenderPlan(outputs=(webp,), metadata=True)
    with (
        tempfile.TemporaryDirectory() as scratch,
        ProcessRenderer(WorkersConfig(count=1)) as renderer,
    ):

        def render(picture: Path) -> float:
            started = time.perf_counter()
            renderer.render(
                picture,
                plan,
                Path(scratch),
                assets={},
                limits=Limits(),
                checkpoint=lambda _: None,
                timeout=_TIMEOUT_SECONDS,
            )
            return (time.perf_counter() - started) * 1000

        yield render


def _idle(service: Serving, seconds: float) -> Idle:
    """Watch the service's processes while nobody asks it anything."""
    time.sleep(2 * _BREATH_SECONDS + 1)
    family = [psutil.Process(pid) for pid in service.family()]
    before, started = sum(map(_cpu_seconds, family)), time.monotonic()
    time.sleep(seconds)
    used = sum(map(_cpu_seconds, family)) - before
    memory = [process.memory_full_info() for process in family]
    return Idle(
        cores=used / (time.monotonic() - started),
        rss_mb=sum(one.rss for one in memory) / 1e6,
        pss_mb=sum(one.pss for one in memory) / 1e6,
        processes=len(family),
    )


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _verdicts(pairs: Sequence[tuple[float, float]], idle: Idle) -> list[Verdict]:
    return [
        Verdict(
            what="POST to COMPLETED minus the engine's own time, median of pairs",
            bound=60,
            unit="ms",
            value=statistics.median(served - engine for served, engine in pairs),
        ),
        Verdict(
            what="CPU of the idle service, all processes",
            bound=1,
            unit="% of a core",
            value=idle.cores * 100,
            strict=True,
        ),
        Verdict(
            what="RSS of the idle service, all processes",
            bound=180,
            unit="MB",
            value=idle.rss_mb,
            strict=True,
        ),
    ]


def _document(pairs: Sequence[tuple[float, float]], idle: Idle, picture: Path) -> str:
    facts = {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        **machine.describe(),
        "load average": machine.load(),
        "photo": f"{picture.name}, {picture.stat().st_size} bytes, to WebP",
    }
    served, engine = zip(*pairs, strict=True)
    rows = [_spread("service", served), _spread("engine", engine)]
    rows.append(_spread("difference", [s - e for s, e in pairs]))
    spread = table(["ms", "least", "median", "90 %", "most", "jobs"], rows)
    resting = [
        f"{idle.processes}",
        f"{idle.cores * 100:.2f} %",
        f"{idle.rss_mb:.0f}",
        f"{idle.pss_mb:.0f}",
    ]
    blocks = [
        "# The embedded service",
        "Written by `python -m benchmarks.service`; do not edit.",
        listed(facts),
        "## Targets",
        table(*targets(_verdicts(pairs, idle))),
        "## From POST to COMPLETED",
        spread,
        "## At rest",
        table(["processes", "CPU of one core", "RSS MB", "PSS MB"], [resting]),
        _READING,
    ]
    return "\n\n".join(blocks) + "\n"


def _spread(name: str, times: Sequence[float]) -> list[str]:
    ordered = sorted(times)
    ninetieth = ordered[min(len(ordered) - 1, round(0.9 * len(ordered)))]
    numbers = (ordered[0], statistics.median(ordered), ninetieth, ordered[-1])
    return [name, *(f"{number:.0f}" for number in numbers), str(len(ordered))]


if __name__ == "__main__":
    main()
