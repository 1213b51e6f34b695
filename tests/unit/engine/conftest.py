from __future__ import annotations

from pathlib import Path

import pytest

from pixtools.engine.denoise import weights
from pixtools.testing.fixtures import hostile_paths, sources

__all__ = ["hostile_paths", "sources"]


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of the package's own networks; empty."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    monkeypatch.setattr(weights, "SHIPPED", folder)
    return folder
