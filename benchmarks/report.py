"""The report in Markdown: every number of it was measured in the run that wrote it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.jobs import Job
from benchmarks.measure import Result
from benchmarks.peers import OURS
from benchmarks.verdicts import Results, Verdict, ratio, verdicts

Scores = Mapping[tuple[str, str, str], float | None]
"""By job, contender and output."""

_READING = """\
Each contender ran in fresh processes that took turns with the others'. *CPU* is user
and system time of a warm process, children included, as the median over all times but
the first of each process; *cold* is that first time; *best* is the least disturbed one.
For PixTools it is what the pixel child counts for its engine, as `pixtools process` and
the service use it. *Peak* and *after* are resident memory of the process that does the
work (PixTools: the pixel child; vipsthumbnail: its largest run). *÷* is PixTools' CPU
time divided by the contender's, round by round, and of these the median: below 1,
PixTools needs less.

*SSIMULACRA2* compares each file with the source decoded in full and scaled by Pillow's
Lanczos, before any encoding; 100 is identical, 70 is high quality. A size in bytes
means nothing without it."""


def document(
    title: str,
    jobs: Sequence[Job],
    results: Results,
    scores: Scores,
    facts: Mapping[str, str],
    plots: Sequence[tuple[str, str]],
) -> str:
    """The whole report; `plots` are captions and paths relative to it."""
    blocks = [f"# {title}", "Written by `make bench`; do not edit.", listed(facts)]
    blocks += ["## Targets", table(*targets(verdicts(results)))]
    blocks += [f"![{caption}]({path})" for caption, path in plots]
    blocks += ["## How to read this", _READING]
    for job in jobs:
        blocks += _about(job, results[job.name], scores)
    return "\n\n".join(blocks) + "\n"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first column is words, the others are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def listed(facts: Mapping[str, str]) -> str:
    """Facts as a Markdown list."""
    return "\n".join(f"- {name}: {fact}" for name, fact in facts.items())


def targets(found: Sequence[Verdict]) -> tuple[list[str], list[list[str]]]:
    """Head and rows of the table of verdicts."""
    rows = [
        [
            one.what,
            f"{one.sign} {one.bound:g} {one.unit}",
            "–" if one.value is None else f"{one.value:.2f} {one.unit}",
            one.word if one.word == "met" else f"**{one.word}**",
        ]
        for one in found
    ]
    return ["target", "bound", "measured", ""], rows


def _about(
    job: Job, job_results: Mapping[str, Result], scores: Scores
) -> Iterator[str]:
    yield f"## {job.title}"
    if job.note:
        yield job.note
    head = ["", "CPU ms", "cold", "best", "wall ms", "÷", "peak MB", "after"]
    yield table(head, list(_times(job_results)))
    yield table(
        ["bytes (SSIMULACRA2)", *_ids(job)], list(_files(job, job_results, scores))
    )
    equal = _equal_to_ours(job_results)
    if equal:
        yield f"Byte for byte the same files as PixTools': {', '.join(equal)}."
    absent = [
        f"{one.contender.title}: not measured, because {one.trouble}."
        for one in job_results.values()
        if one.trouble
    ]
    if absent:
        yield "\n\n".join(absent)


def _times(job_results: Mapping[str, Result]) -> Iterator[list[str]]:
    ours = job_results.get(OURS)
    for one in job_results.values():
        if one.shifts:
            relation = ratio(ours, one)
            yield [
                one.contender.title,
                f"{one.cpu_ms:.0f}",
                f"{one.cold_ms:.0f}",
                f"{one.best_ms:.0f}",
                f"{one.wall_ms:.0f}",
                "–" if relation is None else f"{relation:.2f}",
                f"{one.peak_mb:.0f}",
                f"{one.after_mb:.0f}" if one.after_mb else "–",
            ]


def _ids(job: Job) -> list[str]:
    return [wanted.id for wanted in job.wanted]


def _files(
    job: Job, job_results: Mapping[str, Result], scores: Scores
) -> Iterator[list[str]]:
    for name, one in job_results.items():
        if one.shifts:
            files = one.files
            yield [
                one.contender.title,
                *(
                    _file(files[id].stat().st_size, scores.get((job.name, name, id)))
                    for id in _ids(job)
                ),
            ]


def _equal_to_ours(job_results: Mapping[str, Result]) -> list[str]:
    ours = job_results.get(OURS)
    if not ours or not ours.shifts:
        return []
    mine = {id: path.read_bytes() for id, path in ours.files.items()}
    return [
        one.contender.title
        for one in job_results.values()
        if one is not ours
        and one.shifts
        and {id: path.read_bytes() for id, path in one.files.items()} == mine
    ]


def _file(size: int, score: float | None) -> str:
    judged = "–" if score is None else f"{score:.1f}"
    return f"{size:,} ({judged})".replace(",", " ")
