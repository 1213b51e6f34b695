"""Measure the engine against its peers: `python -m benchmarks.engine`.

Writes docs/reports/engine.md with its plots, and prints the targets.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from itertools import repeat
from pathlib import Path
from typing import Final

from benchmarks import machine
from benchmarks.jobs import JOBS, QUICK, Job
from benchmarks.measure import Result, measure
from benchmarks.peers import CONTENDERS
from benchmarks.plots import draw
from benchmarks.report import Scores, document
from benchmarks.score import judged
from benchmarks.verdicts import Results, verdicts

ROOT: Final = Path(__file__).resolve().parent.parent


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, score, write, and print what was met and what was missed."""
    asked = _parser().parse_args(arguments)
    jobs = _chosen(asked)
    load_before = machine.load()
    results = {job.name: _measured(job, asked.work) for job in jobs}
    facts = {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        **machine.describe(),
        "load average before and after": f"{load_before}; {machine.load()}",
    }
    scores = {} if asked.quick else _scored(jobs, results, asked.work)
    plots = draw(jobs, results, scores, asked.report.parent / "img")
    asked.report.parent.mkdir(parents=True, exist_ok=True)
    text = document("The engine against its peers", jobs, results, scores, facts, plots)
    asked.report.write_text(text, "utf-8")
    for verdict in verdicts(results):
        print(verdict.line)
    print(f"The whole report: {asked.report}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.engine", description=__doc__
    )
    out, report = ROOT / "benchmarks" / "out", ROOT / "docs" / "reports" / "engine.md"
    parser.add_argument("--quick", action="store_true", help="a smoke test, unscored")
    parser.add_argument("--job", action="append", help="only this job; repeatable")
    parser.add_argument("--rounds", type=int, help="rounds of each job")
    parser.add_argument("--work", type=Path, default=out, help="folder for pictures")
    parser.add_argument("--report", type=Path, default=report, help="file to write")
    return parser


def _chosen(asked: argparse.Namespace) -> list[Job]:
    jobs = QUICK if asked.quick else JOBS
    unknown = set(asked.job or ()) - {job.name for job in jobs}
    if unknown:
        names = ", ".join(job.name for job in jobs)
        sys.exit(f"Expected one of {names} for --job but received {unknown.pop()}.")
    return [
        replace(job, rounds=asked.rounds or job.rounds)
        for job in jobs
        if not asked.job or job.name in asked.job
    ]


def _measured(job: Job, work: Path) -> dict[str, Result]:
    results = measure(job, CONTENDERS, work, _say)
    return {result.contender.name: result for result in results}


def _scored(jobs: Sequence[Job], results: Results, work: Path) -> Scores:
    """Score all files, on all cores: nothing is being measured any more."""
    scores: dict[tuple[str, str, str], float | None] = {}
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        files = [_files(results[job.name]) for job in jobs]
        for job, found in zip(
            jobs, pool.map(judged, jobs, files, repeat(work)), strict=True
        ):
            _say(f"{job.title}: scored")
            scores |= {(job.name, *key): score for key, score in found.items()}
    return scores


def _files(job_results: Mapping[str, Result]) -> dict[tuple[str, str], Path]:
    return {
        (name, id): path
        for name, result in job_results.items()
        if result.shifts
        for id, path in result.files.items()
    }


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
