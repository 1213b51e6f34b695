"""What a job relies on is on the disk before anything refers to it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from pixtools.storage.durable import MOST_KNOWN
from pixtools.storage.local import LocalBlobs
from pixtools.testing.port_suites.blobs import KEY, put

OPEN = Path("/proc/self/fd")


class Diary:
    """What was synced, and when names changed, in order."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.synced: list[tuple[int, int]] = []
        self.rename_at = -1
        self._fsync, self._rename = os.fsync, os.rename
        patch.setattr(os, "fsync", self._on_fsync)
        patch.setattr(os, "rename", self._on_rename)

    def position(self, path: Path) -> int:
        """When this file or directory was last synced."""
        status = path.stat()
        wanted = (status.st_dev, status.st_ino)
        return len(self.synced) - 1 - self.synced[::-1].index(wanted)

    def _on_fsync(self, fd: int) -> None:
        status = os.fstat(fd)
        self.synced.append((status.st_dev, status.st_ino))
        self._fsync(fd)

    def _on_rename(self, *names: str, src_dir_fd: int, dst_dir_fd: int) -> None:
        self.rename_at = len(self.synced)
        self._rename(*names, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)


@pytest.fixture
def diary(monkeypatch: pytest.MonkeyPatch) -> Diary:
    return Diary(monkeypatch)


@pytest.mark.parametrize("verb", ["write", "copy"])
def test_bytes_are_durable_before_their_name_is_and_both_before_commit_returns(
    tmp_path: Path, diary: Diary, verb: str
) -> None:
    """Also the names of the folders that lead there."""
    blobs, place = LocalBlobs(tmp_path), tmp_path / KEY
    if verb == "write":
        put(blobs, KEY, b"x")
    else:
        put(blobs, "inbox/a", b"x")
        diary.synced.clear()
        blobs.copy("inbox/a", KEY)
    assert diary.position(place) < diary.rename_at
    for folder in (place.parent, place.parent.parent, tmp_path):
        assert diary.position(folder) >= diary.rename_at


def test_the_way_to_a_folder_is_made_durable_once(tmp_path: Path, diary: Diary) -> None:
    """The second file of a job needs its own name only."""
    blobs, place = LocalBlobs(tmp_path), tmp_path / KEY
    put(blobs, KEY, b"x")
    diary.synced.clear()
    put(blobs, f"{KEY}2", b"y")
    assert diary.position(place.parent) >= diary.rename_at
    assert len(diary.synced) == 2


def test_names_of_one_folder_are_made_durable_together(
    tmp_path: Path, diary: Diary
) -> None:
    """By the last one; the bytes of each before its name shows."""
    blobs, place = LocalBlobs(tmp_path), tmp_path / KEY
    for name in ("a", "b"):
        writer = blobs.writer(f"{KEY}-{name}")
        writer.write(b"x")
        writer.commit(more=True)
        file = place.with_name(f"{place.name}-{name}")
        assert diary.position(file) == diary.rename_at - 1
    assert len(diary.synced) == 2
    put(blobs, KEY, b"x")
    for folder in (place.parent, place.parent.parent, tmp_path):
        assert diary.position(folder) >= diary.rename_at
    assert len(diary.synced) == 6


@pytest.mark.parametrize("emptied", [1, 2])
def test_a_folder_that_others_made_anew_is_made_durable_anew(
    tmp_path: Path, diary: Diary, emptied: int
) -> None:
    """It stands in the place of one that was, and nobody may have synced its name."""
    blobs, place = LocalBlobs(tmp_path), tmp_path / KEY
    put(blobs, KEY, b"x")
    shutil.rmtree(place.parents[emptied - 1])
    place.parent.mkdir(parents=True)
    diary.synced.clear()
    put(blobs, KEY, b"y")
    for folder in place.parents[: emptied + 1]:
        assert diary.position(folder) >= diary.rename_at


def test_a_folder_that_another_service_made_is_made_durable(
    tmp_path: Path, diary: Diary
) -> None:
    """It may have died before it synced the name."""
    blobs, place = LocalBlobs(tmp_path), tmp_path / KEY
    put(blobs, "inbox/a", b"x")
    place.parent.mkdir(parents=True)
    diary.synced.clear()
    put(blobs, KEY, b"y")
    for folder in (place.parent, place.parent.parent, tmp_path):
        assert diary.position(folder) >= diary.rename_at


def test_few_folders_are_held_open(tmp_path: Path) -> None:
    """However many jobs have passed."""
    blobs = LocalBlobs(tmp_path)
    put(blobs, KEY, b"x")
    before = len([*OPEN.iterdir()])
    for number in range(3 * MOST_KNOWN):
        put(blobs, f"processed/{number}/a.png", b"x")
    assert len([*OPEN.iterdir()]) <= before + MOST_KNOWN


def test_what_was_deleted_stays_deleted(tmp_path: Path, diary: Diary) -> None:
    """Erasing a photo is a promise too."""
    blobs = LocalBlobs(tmp_path)
    put(blobs, KEY, b"x")
    put(blobs, f"{KEY}2", b"x")
    diary.synced.clear()
    assert blobs.delete(f"{KEY}2") == 1
    assert diary.position((tmp_path / KEY).parent) >= 0


def test_an_aborted_upload_costs_no_sync(tmp_path: Path, diary: Diary) -> None:
    """Nothing refers to it."""
    writer = LocalBlobs(tmp_path).writer(KEY)
    writer.write(b"x")
    writer.abort()
    assert diary.synced == []
