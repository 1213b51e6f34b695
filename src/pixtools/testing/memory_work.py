"""Twins of Bell and Renderer: what rang, and pictures without pixels."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pixtools.domain.errors import CorruptImage
from pixtools.domain.formats import FORMATS
from pixtools.domain.limits import Limits
from pixtools.domain.plan import OutputPlan, RenderPlan
from pixtools.domain.report import OutputFacts, OutputFailure, Report, SourceFacts
from pixtools.jobs.ports.work import Call, Checkpoint

NO_IMAGE = b"not an image"
"""A source that holds this can't be decoded by the twin."""
LEAST_NOISE = 1.0
"""What is less is left alone."""


class RecordingBell:
    """Remembers every ring."""

    def __init__(self) -> None:
        self.lanes: list[tuple[Call, ...]] = []
        self.subjects: list[str] = []

    def work(self, calls: Sequence[Call] = ("default_queue",)) -> None:
        """Stages are ready, or deliveries."""
        self.lanes.append(tuple(calls))

    def news(self, job_id: str) -> None:
        """A job or batch has changed."""
        self.subjects.append(job_id)


class PaperRenderer:
    """Writes a few bytes for each output that a plan asks for.

    `trouble` is called at the start of each render: it may raise, or call the
    checkpoint. `bad` maps output ids to the code with which they fail. `noise` is what
    it finds where it is to denoise.
    """

    def __init__(self) -> None:
        self.trouble: Callable[[Checkpoint], None] = _no_trouble
        self.bad: dict[str, str] = {}
        self.noise = 12.5
        self.timeouts: list[float] = []
        self.plans: list[RenderPlan] = []
        self.assets: list[Mapping[str, Path]] = []
        self.heavy: list[bool] = []

    def render(
        self,
        source: Path,
        plan: RenderPlan,
        scratch: Path,
        *,
        assets: Mapping[str, Path],
        limits: Limits,
        checkpoint: Checkpoint,
        timeout: float,
        heavy: bool = False,
    ) -> Report:
        """Make a file for each output; raises CorruptImage where NO_IMAGE stands."""
        del limits
        self.timeouts.append(timeout)
        self.heavy.append(heavy)
        self.plans.append(plan)
        self.assets.append(assets)
        checkpoint(0.0)
        self.trouble(checkpoint)
        data = source.read_bytes()
        if NO_IMAGE in data:
            raise CorruptImage
        good = [output for output in plan.outputs if output.id not in self.bad]
        made = [_made(output, data, scratch, self.noise) for output in good]
        checkpoint(1.0)
        return Report(
            source=SourceFacts(format="jpg", width=160, height=112),
            outputs=tuple(made),
            failures=tuple(
                OutputFailure(id=output.id, code=self.bad[output.id], detail="No.")
                for output in plan.outputs
                if output.id in self.bad
            ),
            metadata={"width": 160, "height": 112} if plan.metadata else None,
            wall_ms=7,
            cpu_ms=5,
        )


def _no_trouble(checkpoint: Checkpoint) -> None:
    del checkpoint


def _made(
    output: OutputPlan, source: bytes, scratch: Path, noise: float
) -> OutputFacts:
    kind = FORMATS[output.encode.format]
    name = f"{output.id}.{kind.extension}"
    data = f"{output.id} of {hashlib.sha256(source).hexdigest()}".encode()
    (scratch / name).write_bytes(data)
    box, wanted = output.box, output.denoise
    clean = noise < LEAST_NOISE
    return OutputFacts(
        id=output.id,
        file=name,
        format=kind.name,
        width=(box.width if box else None) or 160,
        height=(box.height if box else None) or 112,
        bytes=len(data),
        duration_ms=3,
        noise_sigma=noise if wanted else None,
        model=(wanted.model or "quality") if wanted and not clean else None,
        skipped="clean" if wanted and clean else None,
    )
