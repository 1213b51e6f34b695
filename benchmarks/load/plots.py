"""Pictures of what happened over time, drawn by matplotlib where it is installed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.load.answers import ACCEPTED, BUSY, ERRORS, IN_FLIGHT, REPLAYED
from benchmarks.load.figures import Run, depths
from benchmarks.load.scenarios import ARRIVALS, LIGHTS, Findings

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    Picture = Callable[[Sequence[Axes], Findings], None]

_WAITING, _WORKING, _OTHER, _WRONG = "#b8bcc2", "#0b7a75", "#c98a1b", "#b3261e"
_SIZE: Final = (8.0, 4.6)
_KINDS: Final = {
    ACCEPTED: _WORKING,
    REPLAYED: "#6a4c93",
    IN_FLIGHT: _WAITING,
    BUSY: _OTHER,
}


def draw(found: Findings, folder: Path) -> dict[str, str]:
    """Draw what there is to draw; paths from the folder's parent, by run."""
    if find_spec("matplotlib") is None:
        return {}
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams.update(
        {"svg.hashsalt": "pixtools", "svg.fonttype": "none", "font.size": 8}
    )
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {}
    for name, picture in _PICTURES.items():
        path = folder / f"load-{name.replace(' ', '-')}.svg"
        _save(path, picture, found)
        drawn[name] = f"{folder.name}/{path.name}"
    return drawn


def _save(path: Path, picture: Picture, found: Findings) -> None:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 1, figsize=_SIZE)
    picture(axes, found)
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(alpha=0.25)
        axis.set_ylim(bottom=0)
    figure.tight_layout()
    figure.savefig(path, dpi=150, metadata={"Date": None})
    plt.close(figure)


def _of_run(axes: Sequence[Axes], run: Run, shown: Run | None = None) -> None:
    """Jobs over time, and below it how long each request took."""
    end = max(run.all_done, run.last_submit)
    _jobs(axes[0], run)
    _requests(axes[1], shown or run)
    for axis in axes:
        axis.set_xlim(0, end)
    axes[1].set_xlabel("seconds")


def _jobs(axis: Axes, run: Run) -> None:
    moments, waiting, working = zip(*depths(run.facts.values(), run.began), strict=True)
    both = [one + other for one, other in zip(waiting, working, strict=True)]
    axis.fill_between(moments, both, step="post", color=_WAITING, label="waiting")
    axis.fill_between(moments, working, step="post", color=_WORKING, label="at work")
    axis.set_ylabel("jobs")
    axis.legend(loc="upper right", framealpha=0.8, edgecolor="none")


def _requests(axis: Axes, run: Run) -> None:
    for kind, colour in {**_KINDS, **dict.fromkeys(ERRORS, _WRONG)}.items():
        points = [
            (one.due - run.began, one.seconds * 1000)
            for one in run.answers
            if one.kind == kind
        ]
        if points:
            xs, ys = zip(*points, strict=True)
            axis.scatter(
                xs, ys, s=6, color=colour, label=kind, linewidths=0, rasterized=True
            )
    axis.set_ylabel("answer, ms")
    axis.legend(loc="upper right", framealpha=0.8, edgecolor="none")


def _baseline(axes: Sequence[Axes], found: Findings) -> None:
    _of_run(axes, found.baseline, found.baseline.of(ARRIVALS))


def _spike(axes: Sequence[Axes], found: Findings) -> None:
    _of_run(axes, found.spike)


def _rush(axes: Sequence[Axes], found: Findings) -> None:
    _of_run(axes, found.rush)


def _storm(axes: Sequence[Axes], found: Findings) -> None:
    _of_run(axes, found.storm)


def _starvation(axes: Sequence[Axes], found: Findings) -> None:
    """The same arrivals, alone and beside heavy jobs."""
    _jobs(axes[0], found.starvation)
    beside = found.starvation.of(LIGHTS)
    for label, run, colour in (
        ("beside heavy jobs", beside, _WORKING),
        ("alone", found.calm, _OTHER),
    ):
        points = sorted((at, seconds) for at, seconds, done in run.waits if done)
        if points:
            xs, ys = zip(*points, strict=True)
            axes[1].plot(xs, ys, ".-", color=colour, label=label, linewidth=0.7)
    axes[1].set_ylabel("light job, seconds")
    axes[1].set_xlabel("seconds")
    axes[1].legend(loc="upper right", framealpha=0.8, edgecolor="none")
    last = max(found.starvation.last_submit, found.calm.last_submit)
    for axis in axes:
        axis.set_xlim(0, last)


_PICTURES: Final[Mapping[str, Picture]] = {
    "baseline": _baseline,
    "spike": _spike,
    "rush": _rush,
    "retry storm": _storm,
    "starvation mix": _starvation,
}
