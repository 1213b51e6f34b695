"""Files to files on this machine: what `pixtools process` does, without printing."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixtools.cli.flags import Asked
from pixtools.domain.catalogue import check_offered
from pixtools.domain.errors import Canceled, InvalidRequest, PixtoolsError
from pixtools.domain.formats import FORMATS
from pixtools.domain.job import Source
from pixtools.domain.plan import OutputPlan, RenderPlan
from pixtools.domain.report import OutputFacts, OutputFailure, Report
from pixtools.jobs.estimate import denoising_ms, longest_seconds
from pixtools.jobs.header import Header, read_header
from pixtools.wiring.pixels import Kitchen


@dataclass(frozen=True, slots=True)
class Task:
    """One photo, its plan, and where each output goes.

    `denoising` is the milliseconds that networks were estimated to take.
    """

    source: Path
    plan: RenderPlan
    targets: Mapping[str, Path]
    assets: Mapping[str, Path]
    denoising: int


@dataclass(frozen=True, slots=True)
class Done:
    """How one photo ended: files made, outputs that failed, or why nothing was."""

    source: Path
    outputs: tuple[tuple[OutputFacts, Path], ...] = ()
    failures: tuple[OutputFailure, ...] = ()
    metadata: dict[str, Any] | None = None
    error: PixtoolsError | None = None
    cpu_ms: int = 0

    @property
    def good(self) -> bool:
        """Whether all that was asked was made."""
        return self.error is None and not self.failures


def prepare(
    files: Sequence[Path], asked: Asked, out: Path | None, *, overwrite: bool
) -> Callable[[Path, Kitchen], Task]:
    """A function that plans one file; it refuses to write anything twice."""
    taken: dict[Path, Path] = {}
    sources = {path.resolve() for path in files}

    def plan(source: Path, kitchen: Kitchen) -> Task:
        check_offered(asked.pipeline, kitchen.capabilities)
        header = _header_of(source, kitchen)
        wanted = asked.pipeline.plan(header.format)
        folder = out or source.parent
        targets = {
            output.id: folder / _name(source, output, by_format=asked.by_format)
            for output in wanted.outputs
        }
        for target in targets.values():
            _claim(target, source, taken, sources, overwrite=overwrite)
        denoising = _denoising(header, wanted, kitchen)
        return Task(source, wanted, targets, _assets(wanted), denoising)

    return plan


def work_through(
    files: Sequence[Path],
    plan: Callable[[Path, Kitchen], Task],
    kitchen: Kitchen,
    *,
    at_once: int,
    progress: Callable[[Path, float], None],
) -> Iterator[Done]:
    """Run every file, `at_once` at a time; yields each as it ends.

    Whoever stops listening (Ctrl-C) stops the work, also in the middle of a file.
    """
    stopping = threading.Event()

    def tell(source: Path, fraction: float) -> None:
        if stopping.is_set():
            raise Canceled
        progress(source, fraction)

    with ThreadPoolExecutor(at_once) as pool:
        try:
            waiting = [pool.submit(_one, each, plan, kitchen, tell) for each in files]
            for future in as_completed(waiting):
                yield future.result()
        finally:
            stopping.set()
            pool.shutdown(wait=False, cancel_futures=True)


def _one(
    source: Path,
    plan: Callable[[Path, Kitchen], Task],
    kitchen: Kitchen,
    progress: Callable[[Path, float], None],
) -> Done:
    try:
        task = plan(source, kitchen)
        return _made(task, kitchen, lambda fraction: progress(source, fraction))
    except PixtoolsError as error:
        return Done(source, error=error)
    except OSError as error:
        return Done(source, error=InvalidRequest(_trouble(error)))


def _made(task: Task, kitchen: Kitchen, checkpoint: Callable[[float], None]) -> Done:
    with _scratch_beside(task) as scratch:
        report = kitchen.renderer.render(
            task.source,
            task.plan,
            scratch,
            assets=task.assets,
            limits=kitchen.limits,
            checkpoint=checkpoint,
            timeout=longest_seconds(kitchen.limits, task.denoising),
            heavy=task.denoising > 0,
        )
        outputs = tuple(_moved(facts, scratch, task) for facts in report.outputs)
    return _done(task, report, outputs)


def _done(
    task: Task, report: Report, outputs: tuple[tuple[OutputFacts, Path], ...]
) -> Done:
    return Done(
        task.source, outputs, report.failures, report.metadata, cpu_ms=report.cpu_ms
    )


def _moved(facts: OutputFacts, scratch: Path, task: Task) -> tuple[OutputFacts, Path]:
    """Rename into place: a reader sees the whole file or none."""
    target = task.targets[facts.id]
    (scratch / facts.file).replace(target)
    return facts, target


@contextmanager
def _scratch_beside(task: Task) -> Iterator[Path]:
    """A directory on the outputs' own file system, so that moving is renaming."""
    folders = [target.parent for target in task.targets.values()]
    parent = folders[0] if folders else None
    if parent:
        parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".pixtools-", dir=parent))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _denoising(header: Header, plan: RenderPlan, kitchen: Kitchen) -> int:
    source = Source(
        type="local_file",
        key="",
        format=header.format,
        width=header.width,
        height=header.height,
    )
    models = kitchen.capabilities.models
    noisy = [output for output in plan.outputs if output.denoise]
    return sum(denoising_ms(source, output, models) for output in noisy)


def _header_of(source: Path, kitchen: Kitchen) -> Header:
    if source.is_dir():
        raise InvalidRequest("This is a folder: name the files in it.")
    with source.open("rb") as file:
        return read_header(file, kitchen.limits, kitchen.capabilities, complete=True)


def _name(source: Path, output: OutputPlan, *, by_format: bool) -> str:
    extension = FORMATS[output.encode.format].extension
    stem = source.stem if by_format else f"{source.stem}-{output.id}"
    return f"{stem}.{extension}"


def _claim(
    target: Path,
    source: Path,
    taken: dict[Path, Path],
    sources: set[Path],
    *,
    overwrite: bool,
) -> None:
    where = target.resolve()
    if where in sources:
        raise InvalidRequest(f"{target} is a source: choose another folder by --out.")
    other = taken.setdefault(where, source)
    if other is not source:
        raise InvalidRequest(f"{target} would be written from {other} as well.")
    if target.exists() and not overwrite:
        raise InvalidRequest(f"{target} exists: add --overwrite to replace it.")


def _assets(plan: RenderPlan) -> dict[str, Path]:
    """On the command line an image watermark's name is a file's."""
    marks = [output.mark for output in plan.outputs if output.mark]
    return {mark.image: Path(mark.image) for mark in marks if mark.image}


def _trouble(error: OSError) -> str:
    return f"{error.strerror or error}: {error.filename or 'the file'}"
