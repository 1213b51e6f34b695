"""Pictures of the findings, drawn where matplotlib is installed."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image, ImageDraw
from training.photos import held_out, noisy

from benchmarks.denoise.findings import Quality, Speed
from benchmarks.denoise.quality import SHOWN, SHOWN_AT, SIGMAS, Score, mean
from benchmarks.denoise.report import title_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_OURS: Final = ("quality-float32", "quality-int8", "fast-float32-estimated")
_COLUMNS: Final = ("opencv", "nlm", "bm3d", "fast-float32", "quality-float32")
_CROP: Final = 192
_LINE: Final = 18


def draw(
    good: Quality | None, quick: Speed | None, work: Path, folder: Path
) -> dict[str, str]:
    """Draw what can be drawn; paths relative to the report, by name."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {}
    if good:
        _crops(good, work, folder / "denoise-crops.png")
        drawn["crops"] = f"{folder.name}/denoise-crops.png"
    if find_spec("matplotlib") is None:
        return drawn
    if good:
        _chart(lambda axis: _gains(axis, good), folder / "denoise-psnr.svg")
        drawn["psnr"] = f"{folder.name}/denoise-psnr.svg"
    if quick and quick.paces:
        _chart(lambda axis: _speeds(axis, quick), folder / "denoise-speed.svg")
        drawn["speed"] = f"{folder.name}/denoise-speed.svg"
    return drawn


def _chart(fill: Any, path: Path) -> None:  # noqa: ANN401 - matplotlib has no types
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams.update({"svg.hashsalt": "pixtools", "svg.fonttype": "none"})
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(8, 4))
    fill(axis)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _gains(axis: Axes, found: Quality) -> None:
    names = [name for name in found.scores if name != "noisy"]
    names = [n for n in names if not n.startswith(("quality", "fast")) or n in _OURS]
    width = 0.8 / len(names)
    for at, name in enumerate(names):
        places = [row + (at + 0.5) * width - 0.4 for row in range(len(SIGMAS))]
        heights = [mean(found.scores[name], sigma) for sigma in SIGMAS]
        colour = "#0b7a75" if name in _OURS else plt_grey(at, len(names))
        axis.bar(places, heights, width * 0.92, color=colour, label=_plain(name),
                 alpha=1.0 if name != _OURS[1] else 0.7)  # fmt: skip
    axis.set_xticks(range(len(SIGMAS)), [f"σ = {sigma}" for sigma in SIGMAS])
    axis.set_ylim(bottom=20)
    axis.set_ylabel("mean PSNR, dB")
    axis.legend(fontsize=7)


def plt_grey(at: int, count: int) -> str:
    """A grey that is darker the later it comes."""
    return f"{0.85 - 0.5 * at / count:.2f}"


def _speeds(axis: Axes, found: Speed) -> None:
    shown = [one for one in found.paces if one.size.title == "4 MP"] or found.paces
    rows = range(len(shown))
    axis.barh(rows, [one.per_cpu_second for one in shown], color="#0b7a75")
    axis.set_yticks(list(rows), [_plain(one.name) for one in shown], fontsize=8)
    axis.invert_yaxis()
    axis.set_xscale("log")
    axis.set_xlabel(f"megapixels per second of processor time, {shown[0].size.title}")


def _plain(name: str) -> str:
    return title_of(name).replace("*", "")


def _crops(found: Quality, work: Path, path: Path) -> None:
    """A row for each photograph: clean, noisy, and what methods make of it."""
    rows = [list(_row(photo, found, work)) for photo in SHOWN]
    columns = len(rows[0])
    page = Image.new(
        "RGB", (columns * _CROP, len(rows) * (_CROP + _LINE)), (255, 255, 255)
    )
    pen = ImageDraw.Draw(page)
    for down, row in enumerate(rows):
        for across, (label, pixels) in enumerate(row):
            place = (across * _CROP, down * (_CROP + _LINE))
            pen.text((place[0] + 3, place[1] + 3), label, fill=(0, 0, 0))
            page.paste(Image.fromarray(pixels), (place[0], place[1] + _LINE))
    page.save(path, optimize=True)


def _row(name: str, found: Quality, work: Path) -> Iterator[tuple[str, Any]]:
    photos = held_out(found.crop)
    number = next(at for at, photo in enumerate(photos) if photo.name == name)
    yield "clean", _middle(_bytes(photos[number].pixels))
    yield (
        f"noisy {_decibels(found.scores['noisy'], name)}",
        _middle(_bytes(noisy(photos[number], SHOWN_AT, number))),
    )
    for method in _COLUMNS:
        scores = found.scores.get(method)
        if scores:
            setting = _at(scores, name).setting
            pixels = np.load(work / "shown" / method / f"{name}-{setting}.npy")
            label = method.removesuffix("-float32")
            yield f"{label} {_decibels(scores, name)}", _middle(pixels)


def _decibels(scores: list[Score], name: str) -> str:
    return f"{_at(scores, name).psnr:.1f} dB"


def _at(scores: list[Score], name: str) -> Score:
    return next(s for s in scores if s.photo == name and s.sigma == SHOWN_AT)


def _bytes(pixels: Any) -> Any:  # noqa: ANN401 - an array
    return np.rint(np.clip(pixels, 0.0, 1.0) * 255.0).astype(np.uint8)


def _middle(pixels: Any) -> Any:  # noqa: ANN401 - an array
    top, left = ((side - _CROP) // 2 for side in pixels.shape[:2])
    return pixels[top : top + _CROP, left : left + _CROP]
