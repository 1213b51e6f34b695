"""One picture: a job's processor time, and what the part beside the pixels is."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.price.rounds import Priced
from benchmarks.price.where import Profile

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PIXELS_COLOUR: Final = "#0b7a75"
_BESIDE_COLOUR: Final = "#c8553d"
_BARE_COLOUR: Final = "#b8bcc2"
_CAPTION: Final = "Processor time of one job, and where what is beside the pixels goes"


def draw(measured: Sequence[Priced], profiled: Profile, folder: Path) -> list[str]:
    """Draw it where matplotlib is installed; the Markdown that shows it."""
    if find_spec("matplotlib") is None:
        return []
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams.update({"svg.hashsalt": "pixtools", "svg.fonttype": "none"})
    import matplotlib.pyplot as plt

    folder.mkdir(parents=True, exist_ok=True)
    figure, (above, below) = plt.subplots(2, 1, figsize=(8, 6.5))
    _jobs(above, measured)
    _steps(below, profiled)
    figure.tight_layout()
    figure.savefig(folder / "price.svg", metadata={"Date": None})
    plt.close(figure)
    return [f"![{_CAPTION}]({folder.name}/price.svg)"]


def _jobs(axis: Axes, measured: Sequence[Priced]) -> None:
    names = [one.work.title for one in measured]
    bare = [one.median(lambda r: r.bare.pixels_ms) for one in measured]
    served = [one.median(lambda r: r.served.pixels_ms) for one in measured]
    beside = [one.median(lambda r: r.served.beside_ms) for one in measured]
    rows = range(len(names))
    above, below = [row - 0.2 for row in rows], [row + 0.2 for row in rows]
    axis.barh(above, bare, 0.36, color=_BARE_COLOUR, label="bare engine")
    axis.barh(below, served, 0.36, color=_PIXELS_COLOUR, label="served: pixels")
    axis.barh(
        below, beside, 0.36, served, color=_BESIDE_COLOUR, label="served: beside them"
    )
    axis.set_yticks(list(rows), names)
    axis.invert_yaxis()
    axis.set_xlabel("processor time of one job, ms")
    axis.legend(fontsize=7)


def _steps(axis: Axes, profiled: Profile) -> None:
    ordered = sorted(profiled.steps.items(), key=lambda item: -item[1])
    rows = range(len(ordered))
    axis.barh(rows, [100 * share for _, share in ordered], color=_BESIDE_COLOUR)
    axis.set_yticks(list(rows), [name for name, _ in ordered], fontsize=7)
    axis.invert_yaxis()
    axis.set_xlabel("share of the processor time beside the pixels, %")
