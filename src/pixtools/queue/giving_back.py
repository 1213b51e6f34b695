"""Work that a stopping process can't finish is given back, not lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pixtools.domain.errors import Interrupted
from pixtools.domain.limits import Limits
from pixtools.domain.plan import RenderPlan
from pixtools.domain.report import Report
from pixtools.jobs.ports.sources import FetchedSource, Fetcher
from pixtools.jobs.ports.work import Checkpoint, Renderer


@dataclass(frozen=True, slots=True)
class GivingBack:
    """A renderer that breaks off once the process has been stopping for a while.

    `stopping_for` tells for how many seconds it has been; a render that began before
    has `finish_within` seconds to end. Then its stage waits for the next start, and
    the attempt does not count.
    """

    renderer: Renderer
    stopping_for: Callable[[], float]
    finish_within: float

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
        """As the renderer does; raises Interrupted when there is no time left."""

        def watched(fraction: float) -> None:
            if self.stopping_for() > self.finish_within:
                raise Interrupted
            checkpoint(fraction)

        return self.renderer.render(
            source,
            plan,
            scratch,
            assets=assets,
            limits=limits,
            checkpoint=watched,
            timeout=timeout,
            heavy=heavy,
        )


@dataclass(frozen=True, slots=True)
class GivingBackFetcher:
    """A fetcher that breaks off likewise: a stranger who is slow holds nobody up."""

    fetcher: Fetcher
    stopping_for: Callable[[], float]
    finish_within: float

    def check(self, url: str, within: float) -> None:
        """As the fetcher does."""
        self.fetcher.check(url, within)

    def fetch(
        self,
        url: str,
        take: Callable[[bytes], None],
        *,
        limit: int,
        timeout: float,
        beat: Callable[[], None],
    ) -> FetchedSource:
        """As the fetcher does; raises Interrupted when there is no time left."""

        def watched() -> None:
            if self.stopping_for() > self.finish_within:
                raise Interrupted
            beat()

        return self.fetcher.fetch(url, take, limit=limit, timeout=timeout, beat=watched)
