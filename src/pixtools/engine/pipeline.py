"""The table of contents: one source, one decode, all outputs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pixtools.domain.errors import OutputError
from pixtools.domain.ladder import Rung, ladder
from pixtools.domain.limits import Limits
from pixtools.domain.memory import estimate, too_large_for_memory
from pixtools.domain.plan import OutputPlan, RenderPlan
from pixtools.domain.report import OutputFacts, OutputFailure, Report, SourceFacts
from pixtools.domain.task import Task, task_for
from pixtools.engine import cost, encode
from pixtools.engine.config import EngineConfig
from pixtools.engine.denoise.session import Denoisers
from pixtools.engine.develop import Developer, develop
from pixtools.engine.header import check_frames, open_header, probe
from pixtools.engine.levels import (
    Level,
    Reading,
    check_readable,
    first_level,
    smaller_level,
)
from pixtools.engine.progress import Checkpoint, Progress


def render(
    source: Path,
    plan: RenderPlan,
    scratch: Path,
    *,
    assets: Mapping[str, Path] | None = None,
    limits: Limits | None = None,
    denoisers: Denoisers | None = None,
    checkpoint: Checkpoint = lambda _: None,
) -> Report:
    """Make every output of the plan in `scratch`, from one decode of the source.

    `assets` maps the plan's watermark images to files. `denoisers` keeps networks
    open from render to render; left out, those of the package are opened anew.
    `checkpoint` hears the done share, 0..1, often; what it raises stops the work and
    comes out unchanged.

    Raises a SourceError where the source can't be used. An output that can't be
    made becomes a failure of the report and leaves no file; the others go on.
    """
    started, cpu = time.perf_counter(), time.process_time()
    limits = limits or Limits()
    facts = probe(source, limits)
    tasks, failures = _laid_out(plan.outputs, facts, limits)
    facts = replace(facts, estimated_bytes=_checked_cost(facts, tasks, limits))
    total = sum(cost.writing_time(t) + cost.denoising_time(t) for t in tasks)
    progress = Progress(checkpoint, total + cost.reading_time(facts, _frames(tasks)))
    shared = Developer(
        source=source,
        facts=facts,
        scratch=scratch,
        assets=assets or {},
        progress=progress,
        denoisers=denoisers or Denoisers(EngineConfig()),
    )
    metadata = _metadata(source, facts) if plan.metadata else None
    made = _made(tasks, shared) if tasks else []
    checkpoint(1.0)
    return Report(
        source=facts,
        outputs=_in_order(plan, [m for m in made if isinstance(m, OutputFacts)]),
        failures=(*failures, *(m for m in made if isinstance(m, OutputFailure))),
        metadata=metadata,
        wall_ms=round((time.perf_counter() - started) * 1000),
        cpu_ms=round((time.process_time() - cpu) * 1000),
        peak_rss_bytes=_peak_rss(),
    )


def _laid_out(
    outputs: Sequence[OutputPlan], facts: SourceFacts, limits: Limits
) -> tuple[list[Task], list[OutputFailure]]:
    tasks, failures = [], []
    for output in outputs:
        try:
            tasks.append(task_for(output, facts, limits))
        except OutputError as error:
            failures.append(_failure(output, error, 0.0))
    return tasks, failures


def _checked_cost(facts: SourceFacts, tasks: Sequence[Task], limits: Limits) -> int:
    check_frames(facts, _frames(tasks), limits)
    needed = estimate(facts, tasks)
    if needed > limits.memory_budget_bytes:
        raise too_large_for_memory(needed, limits)
    return needed


def _made(
    tasks: Sequence[Task], shared: Developer
) -> list[OutputFacts | OutputFailure]:
    """Climb down the ladder, largest size first; let go of what nobody needs."""
    facts = shared.facts
    reading = Reading(
        source=shared.source,
        facts=facts,
        frames=_frames(tasks),
        deep=_is_deep(facts)
        and any(t.output.encode.format in encode.DEEP for t in tasks),
    )
    rungs = ladder([task.needed for task in tasks])
    levels: dict[int, Level] = {}
    waiting = [rung.children for rung in rungs]
    made: list[OutputFacts | OutputFailure] = []
    for index, rung in enumerate(rungs):
        users = [task for task in tasks if task.needed == rung.size]
        levels[index] = _level(reading, rung, users, levels, shared.progress)
        if rung.parent is not None:
            waiting[rung.parent] -= 1
            if not waiting[rung.parent]:
                del levels[rung.parent]
        made += [_one(levels[index], task, reading, shared) for task in users]
        if not waiting[index]:
            del levels[index]
    return made


def _level(
    reading: Reading,
    rung: Rung,
    users: Sequence[Task],
    levels: Mapping[int, Level],
    progress: Progress,
) -> Level:
    reads = rung.children + len(users)
    reads += sum(task.layout.looks for task in users)
    if rung.parent is None:
        in_memory = reads > 1 or reading.facts.orientation > 1
        return first_level(reading, rung.size, progress, in_memory=in_memory)
    above = levels[rung.parent]
    return smaller_level(reading, above, rung.size, in_memory=reads > 1)


def _one(
    level: Level, task: Task, reading: Reading, shared: Developer
) -> OutputFacts | OutputFailure:
    started = time.perf_counter()
    try:
        return develop(level, task, shared)
    except OutputError as error:
        if not level.in_memory:
            # Decoder and encoder ran as one: see whose fault it was.
            check_readable(reading)
        return _failure(task.output, error, time.perf_counter() - started)


def _failure(output: OutputPlan, error: OutputError, seconds: float) -> OutputFailure:
    return OutputFailure(
        id=output.id,
        code=error.code,
        detail=error.detail,
        duration_ms=round(seconds * 1000),
        retryable=error.retryable,
    )


def _metadata(source: Path, facts: SourceFacts) -> dict[str, Any]:
    from pixtools.engine.metadata import read_metadata

    return read_metadata(source, facts, open_header(source, facts.format))


def _peak_rss() -> int:
    """High-water mark of this process; `getrusage` starts with its parent's."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def _in_order(plan: RenderPlan, made: Sequence[OutputFacts]) -> tuple[OutputFacts, ...]:
    place = {output.id: at for at, output in enumerate(plan.outputs)}
    return tuple(sorted(made, key=lambda facts: place[facts.id]))


def _frames(tasks: Sequence[Task]) -> int:
    return max((task.frames for task in tasks), default=1)


def _is_deep(facts: SourceFacts) -> bool:
    return facts.bits > 8
