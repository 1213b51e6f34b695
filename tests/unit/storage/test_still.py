"""Folders are told once, when they have come to rest."""

from __future__ import annotations

import os
import time
from pathlib import Path

from pixtools.storage.still import StillFolders


def aged(folder: Path, seconds: float) -> None:
    folder.mkdir(exist_ok=True, parents=True)
    then = time.time() - seconds
    os.utime(folder, (then, then))


def test_what_rests_is_told_once(tmp_path: Path) -> None:
    folders = StillFolders(tmp_path, rest=60)
    aged(tmp_path / "old", 600)
    aged(tmp_path / "new", 5)
    assert folders.look() == ["old"]
    assert folders.look() == []


def test_what_comes_to_rest_later_is_told_then(tmp_path: Path) -> None:
    folders = StillFolders(tmp_path, rest=60)
    aged(tmp_path / "job", 5)
    assert folders.look() == []
    folders._rest = 1
    assert folders.look() == ["job"]


def test_files_and_links_are_no_folders(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path)
    assert StillFolders(tmp_path, rest=-5).look() == []


def test_a_folder_that_is_not_there_yet_holds_nothing(tmp_path: Path) -> None:
    assert StillFolders(tmp_path / "raw").look() == []


def test_what_lies_in_several_folders_is_told_once(tmp_path: Path) -> None:
    one, other = tmp_path / "raw", tmp_path / "processed"
    for folder in (one / "both", other / "both", other / "late"):
        aged(folder, 600)
    found = StillFolders(one, other, tmp_path / "none", rest=60)
    assert found.look() == ["both", "late"]
    assert found.look() == []
