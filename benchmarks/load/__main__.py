"""Drive the service hard: `python -m benchmarks.load`.

Runs the seed's four scenarios against a cluster of its own on fresh spaces (or an
embedded service, or one that is named), writes docs/reports/load.md with plots, and
prints the gates.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx2

from benchmarks import machine
from benchmarks.load import scenarios
from benchmarks.load.bench import Bench
from benchmarks.load.gates import gates
from benchmarks.load.house import SETTINGS, House, house
from benchmarks.load.plots import draw
from benchmarks.load.report import document
from benchmarks.load.scenarios import FULL, QUICK, Findings, Scale
from benchmarks.sources import source

ROOT: Final = Path(__file__).resolve().parents[2]
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
TIMEOUT: Final = 60.0


def main(arguments: Sequence[str] | None = None, scale: Scale | None = None) -> int:
    """Measure, write, print what was met and what was missed; the exit code."""
    asked = _parser().parse_args(arguments)
    photos = {name: source(name, asked.work / "sources") for name in ("2mp", "12mp")}
    began, load = time.monotonic(), machine.load()
    cores = scenarios.workers()
    with (
        house(embedded=asked.embedded, server=asked.server, workers=cores) as found,
        httpx2.Client(base_url=found.url, timeout=TIMEOUT, trust_env=False) as http,
    ):
        bench = Bench(found, photos, http)
        scale = scale or (QUICK if asked.quick else FULL)
        findings = scenarios.measure(bench, scale, asked.work / "load", _say)
    facts = _facts(found, cores, load, time.monotonic() - began)
    _write(findings, facts, asked.report)
    verdicts = gates(findings)
    for verdict in verdicts:
        print(verdict.line)
    print(f"The whole report: {asked.report}")
    return int(asked.gate and any(one.word != "met" for one in verdicts))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.load", description=__doc__
    )
    out, report = ROOT / "benchmarks" / "out", ROOT / "docs" / "reports" / "load.md"
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--embedded", action="store_true", help="one process, no servers"
    )
    where.add_argument(
        "--server", type=_loopback, metavar="URL", help="one that runs on this machine"
    )
    parser.add_argument("--quick", action="store_true", help="a smoke test")
    parser.add_argument("--gate", action="store_true", help="exit code 1 if one fails")
    parser.add_argument("--work", type=Path, default=out, help="folder for pictures")
    parser.add_argument("--report", type=Path, default=report, help="file to write")
    return parser


def _loopback(url: str) -> str:
    if urlsplit(url).hostname not in LOOPBACK:
        raise argparse.ArgumentTypeError(
            f"Expected an address of this machine but received {url}."
        )
    return url


def _facts(found: House, cores: int, load: str, seconds: float) -> dict[str, str]:
    ours = () if "named" in found.title else SETTINGS.items()
    settings = ", ".join(f"{name}={value}" for name, value in ours)
    described = machine.describe()
    for name in ("simplejpeg", "sharp", "vipsthumbnail", "node"):
        described.pop(name, None)
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        **described,
        "load average before and after": f"{load}; {machine.load()}",
        "service": found.title,
        "settings beside the defaults": f"WORKERS={cores}, {settings}",
        "duration": f"{seconds:.0f} s",
    }


def _write(findings: Findings, facts: dict[str, str], report: Path) -> None:
    report.parent.mkdir(parents=True, exist_ok=True)
    plots = draw(findings, report.parent / "img")
    report.write_text(document(findings, facts, plots), "utf-8")


def _say(what: str) -> None:
    # To stderr: what servers print on stdout is kept from the terminal meanwhile.
    print(f"{datetime.now(UTC):%H:%M:%S} {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    # Whoever ends us early ends what we have started, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("Stopped: no report was written, and nothing runs on.")
