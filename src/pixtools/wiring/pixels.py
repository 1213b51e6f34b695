"""Pixel children, and what work without a server is done with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pixtools.domain.catalogue import Capabilities
from pixtools.domain.limits import MIB, Limits
from pixtools.jobs.ports.work import Renderer
from pixtools.settings import Settings
from pixtools.workers.config import WorkersConfig
from pixtools.workers.pool import ProcessRenderer


@dataclass(frozen=True, slots=True)
class Kitchen:
    """What work without a server is done with."""

    renderer: Renderer
    capabilities: Capabilities
    limits: Limits
    timeout: float


@contextmanager
def kitchen(settings: Settings, at_once: int) -> Iterator[Kitchen]:
    """What `pixtools process` works with: pixel children and nothing else."""
    with ProcessRenderer(workers_config(settings, at_once)) as renderer:
        yield Kitchen(
            renderer=renderer,
            capabilities=offered(renderer),
            limits=limits(settings),
            timeout=settings.task_timeout_seconds,
        )


def limits(settings: Settings) -> Limits:
    """How large a thing may be here."""
    return Limits(
        max_upload_bytes=settings.max_upload_bytes,
        max_pixels=settings.max_image_pixels,
        memory_budget_bytes=settings.memory_budget_mb * MIB,
        timeout_seconds=settings.task_timeout_seconds,
    )


def workers_config(settings: Settings, count: int) -> WorkersConfig:
    """At most `count` pixel children at work, who share one budget of memory."""
    return WorkersConfig(count=count, memory_bytes=settings.memory_budget_mb * MIB)


def offered(renderer: ProcessRenderer) -> Capabilities:
    """What the pixel children say that they can do."""
    said = renderer.capabilities()
    return Capabilities(
        actions=frozenset(said.actions),
        readable=frozenset(said.readable),
        writable=frozenset(said.writable),
    )
