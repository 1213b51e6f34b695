"""From a level to one finished file: each step in its place."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pyvips

from pixtools.domain.formats import FORMATS
from pixtools.domain.plan import Mark
from pixtools.domain.report import OutputFacts, SourceFacts
from pixtools.domain.task import Task
from pixtools.engine import carry, cost, encode, keep_source
from pixtools.engine.denoise.session import Denoisers
from pixtools.engine.faults import output_fault
from pixtools.engine.levels import Level
from pixtools.engine.ops import colour, geometry
from pixtools.engine.progress import Progress
from pixtools.engine.vips import TROUBLE, said

if TYPE_CHECKING:
    from pixtools.engine.denoise.clean import Cleaned


@dataclass(frozen=True, slots=True, kw_only=True)
class Developer:
    """What all outputs of a render share."""

    source: Path
    facts: SourceFacts
    scratch: Path
    assets: Mapping[str, Path]
    progress: Progress
    denoisers: Denoisers


@dataclass(frozen=True, slots=True)
class _Exposure:
    """One task, with all decided that every frame of it shares.

    `veil` is the watermark drawn on nothing, for animations: drawn once. `cleaned`
    gets what was found out about each frame's noise.
    """

    task: Task
    corner: tuple[int, int]
    shared: Developer
    veil: pyvips.Image | None = None
    cleaned: list[Cleaned] = field(default_factory=list)


Step = Callable[[pyvips.Image, _Exposure], pyvips.Image]


def _clean_first(image: pyvips.Image, exposure: _Exposure) -> pyvips.Image:
    return _cleaned(image, exposure) if exposure.task.enlarges else image


def _scale(image: pyvips.Image, exposure: _Exposure) -> pyvips.Image:
    return geometry.scale(image, exposure.task.layout.scaled)


def _cut(image: pyvips.Image, exposure: _Exposure) -> pyvips.Image:
    layout = exposure.task.layout
    return geometry.cut(image, exposure.corner, layout.size) if layout.cuts else image


def _clean(image: pyvips.Image, exposure: _Exposure) -> pyvips.Image:
    return image if exposure.task.enlarges else _cleaned(image, exposure)


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
    return _marked(image, mark, exposure.shared.assets)


def _fit_format(image: pyvips.Image, exposure: _Exposure) -> pyvips.Image:
    return encode.fit_for(image, exposure.task.output.encode)


STEPS: tuple[Step, ...] = (
    *(_clean_first, _scale, _cut, _clean),
    *(_pad, _mark, _fit_format),
)
"""Noise goes where there are the fewest pixels: before a picture grows, else after."""


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
        image, cleaned = _exposed(level, task, shared)
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
        noise_sigma=max((one.noise_sigma for one in cleaned), default=None),
        model=next((one.model for one in cleaned if one.model), None),
        skipped="clean" if cleaned and all(one.skipped for one in cleaned) else None,
    )


def _exposed(
    level: Level, task: Task, shared: Developer
) -> tuple[pyvips.Image, list[Cleaned]]:
    """The picture to write, and what was found out about the noise of its frames."""
    pages = level.pages[: task.frames]
    corner = geometry.find_corner(pages[0], task.layout)
    veil = _veil(task, shared.assets) if len(pages) > 1 else None
    exposure = _Exposure(task, corner, shared, veil)
    if len(pages) == 1:
        return carry.as_still(_all_steps(pages[0], exposure)), exposure.cleaned
    # Hundreds of lazy frames cost more memory than their pixels.
    made = [_all_steps(page, exposure).copy_memory() for page in pages]
    strip = pyvips.Image.arrayjoin(made, across=1)
    strip = carry.as_animation(strip, pages[0], task.layout.size[1])
    return strip, exposure.cleaned


def _cleaned(image: pyvips.Image, exposure: _Exposure) -> pyvips.Image:
    task, shared = exposure.task, exposure.shared
    wanted = task.output.denoise
    if wanted is None:
        return image
    from pixtools.engine.denoise.clean import Cleaner

    cleaner = Cleaner(
        wanted=wanted,
        denoisers=shared.denoisers,
        scratch=shared.scratch,
        progress=shared.progress,
        weight=cost.denoising_time(task) / task.frames,
    )
    cleaned = cleaner.clean(image)
    exposure.cleaned.append(cleaned)
    return cleaned.image


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
