"""A checkout whose servers are nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.services.checkout import Checkout

from pixtools.testing.services import Services


@pytest.fixture
def checkout(tmp_path: Path, services: Services) -> Iterator[Checkout]:
    services.line("REDIS_URL")  # where there is no Redis, nothing here is tested
    made = Checkout(tmp_path / "door")
    yield made
    made.environ.clear()
    assert made.services("clear").returncode == 0
