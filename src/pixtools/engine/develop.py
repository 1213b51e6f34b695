"""From a level to one finished file: each step in its place."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyvips

from pixtools.domain.formats import FORMATS
from pixtools.domain.plan import Mark
from pixtools.domain.report import OutputFacts, SourceFacts
from pixtools.domain.task import Task
from pixtools.engine import carry, cost, encode, keep_source
from pixtools.engine.faults import output_fault
from pixtools.engine.levels import Level
from pixtools.engine.ops import colour, geometry
from pixtools.engine.progress import Progress
from pixtools.engine.vips import TROUBLE, said


@dataclass(frozen=True, slots=True, kw_only=True)
class Developer:
    """What all outputs of a render share."""

    source: Path
    facts: SourceFacts
    scratch: Path
    assets: Mapping[str, Path]
    progress: Progress


@dataclass(frozen=True, slots=True)
class _Exposure:
    """One task, with all decided that every frame of it shares.

    `veil` is the watermark drawn on nothing, for animations: drawn once.
    """

    task: Task
    corner: tuple[int, int]
    assets: Mapping[str, Path]
    veil: pyvips.Image | None = None


Step = Callable[[pyvips.Image, _Exposure], pyvips.Image]


def _scale(image: pyvips.Image, exposure: _Exposure) -> pyvips.Image:
    return geometry.scale(image, exposure.task.layout.scaled)


def _cut(image: pyvips.Image, exposure: _Exposure) -> pyvips.Image:
    layout = exposure.task.layout
    return geometry.cut(image, exposure.corner, layout.size) if layout.cuts else image


def _pad(image: pyvips.Image, exposure: _Exposure) -> pyvips.Image:
    layout, wanted = exposure.task.layout, exposure.task.output.encode
    if not layout.pads:
        return image
    background = wanted.background
    if not FORMATS[wanted.format].alpha:
        background = colour.opaque(background)
    image = colour.canvas_for(image, background)
    return geometry.pad(image, layout, colour.ink(background, image))


def _mark(image: pyvips.Image, exposure: _Exposure) -> pyvips.Image:
    mark = exposure.task.output.mark
    if mark is None:
        return image
    image = colour.to_rgb(image)
    if exposure.veil is not None:
        veiled = image.composite2(exposure.veil, "over")
        return veiled if colour.has_alpha(image) else veiled.extract_band(0, n=3)
    return _marked(image, mark, exposure.assets)


def _fit_format(image: pyvips.Image, exposure: _Exposure) -> pyvips.Image:
    return encode.fit_for(image, exposure.task.output.encode)


STEPS: tuple[Step, ...] = (_scale, _cut, _pad, _mark, _fit_format)


def develop(level: Level, task: Task, shared: Developer) -> OutputFacts:
    """Make one output from the level of its size.

    Raises an OutputError; then no file is left behind. What the checkpoint raises
    comes out unchanged.
    """
    started = time.perf_counter()
    wanted = task.output.encode
    name = f"{task.output.id}.{FORMATS[wanted.format].extension}"
    path, draft = shared.scratch / name, shared.scratch / f"{name}.part"
    try:
        image = _exposed(level, task, shared.assets)
        quality = _write(image, task, draft, path, shared)
        kept = keep_source.keep_if_smaller(shared.source, shared.facts, task, path)
    except TROUBLE as error:
        path.unlink(missing_ok=True)
        raise output_fault(said(error), wanted.format) from error
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        draft.unlink(missing_ok=True)
    return OutputFacts(
        id=task.output.id,
        file=name,
        format=wanted.format,
        width=task.layout.size[0],
        height=task.layout.size[1],
        bytes=path.stat().st_size,
        duration_ms=round((time.perf_counter() - started) * 1000),
        quality=None if kept else quality,
        frames=task.frames,
        kept_source=kept,
    )


def _exposed(level: Level, task: Task, assets: Mapping[str, Path]) -> pyvips.Image:
    pages = level.pages[: task.frames]
    corner = geometry.find_corner(pages[0], task.layout)
    veil = _veil(task, assets) if len(pages) > 1 else None
    exposure = _Exposure(task, corner, assets, veil)
    made = [_all_steps(page, exposure) for page in pages]
    if len(made) == 1:
        return carry.as_still(made[0])
    # Hundreds of lazy frames cost more memory than their pixels.
    strip = pyvips.Image.arrayjoin([page.copy_memory() for page in made], across=1)
    return carry.as_animation(strip, pages[0], task.layout.size[1])


def _veil(task: Task, assets: Mapping[str, Path]) -> pyvips.Image | None:
    mark = task.output.mark
    if mark is None:
        return None
    nothing = pyvips.Image.black(*task.layout.size, bands=4).copy(interpretation="srgb")
    return _marked(nothing, mark, assets).copy_memory()


def _marked(
    image: pyvips.Image, mark: Mark, assets: Mapping[str, Path]
) -> pyvips.Image:
    from pixtools.engine.ops.overlay import overlay

    return overlay(image, mark, assets)


def _all_steps(page: pyvips.Image, exposure: _Exposure) -> pyvips.Image:
    for step in STEPS:
        page = step(page, exposure)
    return page


def _write(
    image: pyvips.Image, task: Task, draft: Path, path: Path, shared: Developer
) -> int | None:
    """Write the file by way of a draft and give the quality that it has."""
    wanted, progress = task.output.encode, shared.progress
    image, keep = carry.carried(
        image, wanted.keep_metadata, shared.source, shared.facts
    )
    weight = cost.writing_time(task)
    if wanted.max_bytes is None or wanted.quality is None:
        with progress.during(image, weight) as watched:
            encode.write(watched, draft, wanted, quality=wanted.quality, keep=keep)
        draft.replace(path)
        return wanted.quality
    limit = wanted.max_bytes
    with progress.during(image, weight * 0.2) as watched:
        image = watched.copy_memory()

    def attempt(quality: int | None) -> int:
        with progress.during(image, weight * 0.1) as watched:
            size = encode.write(watched, draft, wanted, quality=quality, keep=keep)
        if size <= limit:
            draft.replace(path)
        return size

    return encode.best_quality(attempt, wanted.quality, limit)
