from __future__ import annotations

from pathlib import Path

import pytest
from tests.golden.golden import Golden, accepting


@pytest.fixture
def golden(request: pytest.FixtureRequest, tmp_path: Path) -> Golden:
    """The goldens of the asking test; see tests/golden/golden.py."""
    return Golden(request.node.nodeid, tmp_path / "actual", accept=accepting())
