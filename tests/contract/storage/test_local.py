"""A directory tree keeps the promises of the Blobs port."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pixtools.storage.local import LocalBlobs
from pixtools.testing.port_suites.blobs import BlobsSuite
from pixtools.testing.port_suites.taking import TakingSuite


@pytest.fixture
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store") / "objects"


@pytest.fixture
def blobs(root: Path) -> Iterator[LocalBlobs]:
    """Whatever a test does, it leaves no unfinished file and no empty directory."""
    yield LocalBlobs(root)
    files = [path for path in root.rglob("*") if path.is_file()]
    assert [path for path in files if ".incoming" in path.parts] == []
    kept = {path.parent for path in files if not path.name.startswith(".")}
    folders = {path for path in root.rglob("*") if path.is_dir()}
    needed = {folder for path in kept for folder in (path, *path.parents)}
    assert folders <= needed | {root / ".incoming"}


class TestLocalBlobs(BlobsSuite, TakingSuite):
    """Objects as files."""
