"""The engine without a service: the same pixel children, fed with the same plans."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.price.clients import Driver
from pixtools.domain.limits import Limits
from pixtools.domain.plan import RenderPlan
from pixtools.workers.config import WorkersConfig
from pixtools.workers.pool import ProcessRenderer

_TIMEOUT_SECONDS: Final = 120


@contextmanager
def bare_engine(picture: Path, plan: RenderPlan, children: int) -> Iterator[Driver]:
    """Pixel children at work as fast as they can be fed; files go as they come."""
    config = WorkersConfig(count=children, kept=children)
    with (
        tempfile.TemporaryDirectory() as room,
        ProcessRenderer(config) as renderer,
        ThreadPoolExecutor(children) as pool,
    ):

        def one(number: int) -> None:
            scratch = Path(room) / str(number)
            scratch.mkdir()
            renderer.render(
                picture,
                plan,
                scratch,
                assets={},
                limits=Limits(),
                checkpoint=lambda _: None,
                timeout=_TIMEOUT_SECONDS,
            )
            shutil.rmtree(scratch)

        yield lambda jobs: [*pool.map(one, range(jobs))].clear()
