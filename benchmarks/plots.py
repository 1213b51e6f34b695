"""Pictures of the numbers, drawn by matplotlib where it is installed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.jobs import Job
from benchmarks.measure import Result
from benchmarks.peers import OURS
from benchmarks.report import Scores
from benchmarks.verdicts import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_OURS_COLOUR: Final = "#0b7a75"
_OTHERS_COLOUR: Final = "#b8bcc2"
_WIDTH_INCHES: Final = 8.0
_ROW_INCHES: Final = 0.32


def draw(
    jobs: Sequence[Job], results: Results, scores: Scores, folder: Path
) -> list[tuple[str, str]]:
    """Draw what there is to draw; captions, and paths from the folder's parent."""
    if find_spec("matplotlib") is None:
        return []
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams.update({"svg.hashsalt": "pixtools", "svg.fonttype": "none"})
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for kind, (caption, draw_one) in _PLOTS.items():
        path = folder / f"engine-{kind}.svg"
        if draw_one(jobs, results, scores, path):
            drawn.append((caption, f"{folder.name}/{path.name}"))
    return drawn


def _cpu(jobs: Sequence[Job], results: Results, _: Scores, path: Path) -> bool:
    return _bars(jobs, results, path, lambda result: result.cpu_ms)


def _memory(jobs: Sequence[Job], results: Results, _: Scores, path: Path) -> bool:
    return _bars(jobs, results, path, lambda result: result.peak_mb)


def _bars(
    jobs: Sequence[Job], results: Results, path: Path, length: Callable[[Result], float]
) -> bool:
    import matplotlib.pyplot as plt

    shown = [[r for r in results[job.name].values() if r.shifts] for job in jobs]
    heights = [len(rows) + 1.5 for rows in shown]
    size = (_WIDTH_INCHES, _ROW_INCHES * sum(heights))
    figure, axes = plt.subplots(
        len(jobs), 1, figsize=size, squeeze=False, height_ratios=heights
    )
    for job, rows, (axis,) in zip(jobs, shown, axes, strict=True):
        _bar_rows(axis, rows, length)
        axis.set_title(job.title, loc="left", fontsize=9)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    return True


def _bar_rows(
    axis: Axes, rows: Sequence[Result], length: Callable[[Result], float]
) -> None:
    names = [row.contender.title for row in rows]
    bars = axis.barh(
        names, list(map(length, rows)), color=[_colour(row) for row in rows]
    )
    axis.bar_label(bars, fmt="%.0f", padding=3, fontsize=8)
    axis.invert_yaxis()
    axis.tick_params(labelsize=8)
    axis.xaxis.set_visible(False)
    axis.spines[["top", "right", "bottom"]].set_visible(False)
    axis.margins(x=0.12)


def _bytes(jobs: Sequence[Job], results: Results, scores: Scores, path: Path) -> bool:
    import matplotlib.pyplot as plt

    judged = [job for job in jobs if len(_lossy_formats(job)) > 1]
    if not any(scores.get((job.name, OURS, "jpg")) for job in judged):
        return False
    size = (_WIDTH_INCHES, 3.2 * len(judged))
    figure, axes = plt.subplots(len(judged), 1, figsize=size, squeeze=False)
    for job, (axis,) in zip(judged, axes, strict=True):
        _points(axis, job, results[job.name], scores)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    return True


def _points(
    axis: Axes, job: Job, job_results: Mapping[str, Result], scores: Scores
) -> None:
    for name, result in job_results.items():
        points = [
            (result.files[id].stat().st_size / 1000, score, id)
            for id in _lossy_formats(job)
            if result.shifts and (score := scores.get((job.name, name, id))) is not None
        ]
        xs, ys = [x for x, _, _ in points], [y for _, y, _ in points]
        # Ours is a ring, because others often lie on the same spot.
        ring = {"s": 110, "facecolors": "none", "edgecolors": _OURS_COLOUR}
        style = ring if name == OURS else {"s": 25}
        axis.scatter(xs, ys, label=result.contender.title, zorder=2, **style)
        for x, y, id in points:
            axis.annotate(
                id, (x, y), textcoords="offset points", xytext=(5, -9), fontsize=7
            )
    axis.set(xlabel="kB", ylabel="SSIMULACRA2")
    axis.set_title(job.title, loc="left", fontsize=9)
    axis.grid(alpha=0.3)
    axis.legend(fontsize=7)


def _lossy_formats(job: Job) -> list[str]:
    return [w.id for w in job.wanted if w.id == w.format and w.format != "png"]


def _colour(result: Result) -> str:
    return _OURS_COLOUR if result.contender.name == OURS else _OTHERS_COLOUR


_PLOTS: Final = {
    "cpu": ("CPU time of each job, ms", _cpu),
    "memory": ("Peak resident memory of each job, MB", _memory),
    "bytes": ("What the bytes buy: SSIMULACRA2 against size", _bytes),
}
