from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.workers.bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    with contextlib.ExitStack() as stack:

        def build(behaviour: str, **config: Any) -> Bench:
            bench = Bench(tmp_path, behaviour, **config)
            stack.callback(bench.threads.shutdown)
            stack.callback(bench.renderer.close)
            return bench

        yield build
