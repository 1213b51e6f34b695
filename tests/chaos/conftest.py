"""Services that a test may break."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pixtools.testing.images import photo_jpeg
from pixtools.testing.serving import Serving, serving

Serve = Callable[..., Serving]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a service by its settings; none is left at the end of the test."""
    with ExitStack() as stack:

        def start(**settings: str) -> Serving:
            return stack.enter_context(serving(settings))

        yield start


@pytest.fixture(scope="session")
def photo_vga(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A JPEG of 640 x 480 pixels."""
    return photo_jpeg(tmp_path_factory.mktemp("vga") / "small.jpg", 640, 480)
