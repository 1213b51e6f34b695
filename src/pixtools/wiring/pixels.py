"""Pixel children, and what work without a server is done with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pixtools.domain.catalogue import Capabilities
from pixtools.domain.limits import MIB, Limits
from pixtools.domain.plan import RenderPlan
from pixtools.domain.report import Report
from pixtools.jobs.ports.work import Checkpoint, Renderer
from pixtools.settings import Settings
from pixtools.workers.config import WorkersConfig
from pixtools.workers.pool import ProcessRenderer


@dataclass(frozen=True, slots=True)
class Kitchen:
    """What work without a server is done with."""

    renderer: Renderer
    capabilities: Capabilities
    limits: Limits


class NoPixels:
    """The renderer of a process that makes none."""

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
        """Raise: a stage was claimed where only workers claim."""
        del source, plan, scratch, assets, limits, checkpoint, timeout, heavy
        raise NotImplementedError("Pixels are made by workers.")


@contextmanager
def kitchen(settings: Settings, at_once: int) -> Iterator[Kitchen]:
    """What `pixtools process` works with: pixel children and nothing else."""
    with ProcessRenderer(workers_config(settings, at_once)) as renderer:
        yield Kitchen(
            renderer=renderer,
            capabilities=offered(renderer),
            limits=limits(settings),
        )


def limits(settings: Settings) -> Limits:
    """How large a thing may be here."""
    return Limits(
        max_upload_bytes=settings.max_upload_bytes,
        max_pixels=settings.max_image_pixels,
        memory_budget_bytes=settings.memory_budget_mb * MIB,
        timeout_seconds=settings.task_timeout_seconds,
    )


def workers_config(
    settings: Settings, count: int, *, denoises: bool = False
) -> WorkersConfig:
    """At most `count` pixel children at work, who share one budget of memory.

    Who does nothing but denoise keeps one with its network open, and no other.
    """
    return WorkersConfig(
        count=count,
        kept=0 if denoises else 1,
        kept_heavy=1 if denoises else 0,
        memory_bytes=settings.memory_budget_mb * MIB,
        models_dir=settings.weights_dir.resolve(),
        precision=settings.denoise_precision,
        denoise_threads=settings.denoise_threads or 0,
    )


def ask_pixels(settings: Settings) -> Capabilities:
    """What workers of this installation can do: a pixel child says it, and ends."""
    with ProcessRenderer(workers_config(settings, 1)) as renderer:
        return offered(renderer)


def offered(renderer: ProcessRenderer) -> Capabilities:
    """What the pixel children say that they can do."""
    said = renderer.capabilities()
    return Capabilities(
        actions=frozenset(said.actions),
        readable=frozenset(said.readable),
        writable=frozenset(said.writable),
        models=said.models,
    )
