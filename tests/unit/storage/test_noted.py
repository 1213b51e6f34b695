"""A store that is away is said once, and once that it is back."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pytest

from pixtools.domain.errors import SourceMissing, StorageUnavailable
from pixtools.storage.local import LocalBlobs
from pixtools.storage.noted import REST, NotedBlobs, NotedScratch, Watch
from pixtools.storage.scratch import ScratchDirectories


class Hand:
    """A clock that is moved by hand."""

    time = 0.0

    def __call__(self) -> float:
        return self.time


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    words = [record.message for record in caplog.records]
    caplog.clear()
    return words


@pytest.fixture
def root(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Path:
    caplog.set_level(logging.INFO, "pixtools.storage.noted")
    return tmp_path / "objects"


def come_and_go(blobs: NotedBlobs, root: Path, times: int) -> None:
    for _ in range(times):
        root.touch()
        with pytest.raises(StorageUnavailable):
            blobs.writer("raw/a/source").commit()
        root.unlink()
        blobs.writer("raw/a/source").commit()
        shutil.rmtree(root)


def test_a_store_that_is_away_is_said_once_and_once_that_it_is_back(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """However many ask it meanwhile; the sentence names the place."""
    blobs = NotedBlobs(LocalBlobs(root), Watch())
    root.touch()
    for _ in range(3):
        with pytest.raises(StorageUnavailable):
            blobs.writer("raw/a/source").commit()
    assert str(root) in vars(caplog.records[0])["detail"]
    assert said(caplog) == ["storage_away"]
    root.unlink()
    for _ in range(3):
        blobs.writer("raw/a/source").commit()
    assert said(caplog) == ["storage_back"]


def test_a_store_that_comes_and_goes_floods_no_log(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hand = Hand()
    blobs = NotedBlobs(LocalBlobs(root), Watch(now=hand))
    come_and_go(blobs, root, times=5)
    assert said(caplog) == ["storage_away", "storage_back"]
    hand.time += REST
    come_and_go(blobs, root, times=5)
    assert said(caplog) == ["storage_away", "storage_back"]


def test_a_missing_object_is_no_fault_of_the_store(
    root: Path, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    blobs = NotedBlobs(LocalBlobs(root), Watch())
    with pytest.raises(SourceMissing):
        blobs.fetch("raw/a/source", tmp_path)
    assert blobs.stat("raw/a/source") is None
    assert said(caplog) == []


def test_scratch_that_can_not_be_made_is_said_and_what_is_done_in_it_is_not(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The worker that is told of it puts its stage aside and says nothing."""
    scratch = NotedScratch(ScratchDirectories(root), Watch("scratch"))
    with pytest.raises(StorageUnavailable), scratch.directory():
        raise StorageUnavailable
    assert said(caplog) == []
    root.rmdir()
    root.touch()
    with pytest.raises(StorageUnavailable), scratch.directory():
        pass
    assert said(caplog) == ["scratch_away"]
