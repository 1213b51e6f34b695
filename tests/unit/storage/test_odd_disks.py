"""File systems that can't do everything, and other hands at the wrong moment."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from pixtools.domain.errors import InvalidRequest, StorageUnavailable
from pixtools.storage.local import LocalBlobs
from pixtools.storage.scratch import ScratchDirectories
from pixtools.storage.secrets_file import SecretsFile
from pixtools.testing.port_suites.blobs import KEY, get, put


def refusing(number: int) -> Callable[..., None]:
    """A system call that always fails with this error."""

    def call(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return call


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    return LocalBlobs(tmp_path / "objects")


def test_without_locks_age_decides_what_is_abandoned(
    blobs: LocalBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that wrote a moment ago is spared."""
    monkeypatch.setattr(fcntl, "flock", refusing(errno.ENOLCK))
    writer = blobs.writer(KEY)
    writer.write(b"x")
    assert blobs.sweep(timedelta(hours=1)) == 0
    writer.write(b"y")
    assert writer.commit().bytes == 2
    (tmp_path / "objects" / ".incoming" / "left").touch()
    assert blobs.sweep(timedelta(0)) == 1


def test_without_locks_scratch_is_never_taken_for_abandoned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Better a leftover than work whose directory vanishes."""
    monkeypatch.setattr(fcntl, "flock", refusing(errno.ENOLCK))
    scratch = ScratchDirectories(tmp_path)
    with scratch.directory() as directory:
        assert scratch.sweep() == 0
        assert directory.exists()
    assert not directory.exists()


def test_scratch_that_vanishes_as_it_is_made_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sweep may come between making a directory and locking it."""
    made: list[Path] = []
    lock = fcntl.flock

    def sweep_first(fd: int, operation: int) -> None:
        if not made:
            made.extend(tmp_path.iterdir())
            made[0].rmdir()
        lock(fd, operation)

    monkeypatch.setattr(fcntl, "flock", sweep_first)
    with ScratchDirectories(tmp_path).directory() as directory:
        assert directory.exists()
        assert directory != made[0]


def test_without_hard_links_a_secret_is_still_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As some network file systems have it."""
    monkeypatch.setattr(os, "link", refusing(errno.EPERM))
    path = tmp_path / "keys.json"
    assert SecretsFile(path).newest() == SecretsFile(path).newest()
    assert list(tmp_path.iterdir()) == [path]


def test_an_object_that_is_cut_short_is_not_passed_off_as_whole(
    blobs: LocalBlobs, tmp_path: Path
) -> None:
    """The reader gets an error, not a shorter photo."""
    path = tmp_path / "objects" / KEY
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x" * 600_000)
    chunks = blobs.read(KEY)
    next(chunks)
    os.truncate(path, 100_000)
    with pytest.raises(StorageUnavailable, match="cut short"):
        list(chunks)


def test_an_object_that_keeps_changing_has_no_facts(
    blobs: LocalBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy that is still being put there by hand is not read half."""
    path = tmp_path / "objects" / KEY
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")
    read = os.pread

    def grow(fd: int, length: int, at: int) -> bytes:
        with path.open("ab") as file:
            file.write(b"x")
        return read(fd, length, min(at, 1))[: 1 - at]

    monkeypatch.setattr(os, "pread", grow)
    with pytest.raises(StorageUnavailable, match="other hands"):
        blobs.stat(KEY)


def test_a_name_that_is_taken_away_again_and_again_ends_in_a_sentence(
    blobs: LocalBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in a loop without end."""
    monkeypatch.setattr(os, "rename", refusing(errno.ENOENT))
    with pytest.raises(StorageUnavailable, match="again and again"):
        put(blobs, KEY, b"x")
    assert blobs.stat(KEY) is None


def test_a_file_replaced_while_it_is_copied_is_copied_as_it_was_opened(
    blobs: LocalBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy has the facts that it claims."""
    put(blobs, KEY, b"before")
    link, seen = os.link, list[object]()

    def replace_first(*arguments: object, **options: object) -> None:
        if not seen:
            seen.append(put(blobs, KEY, b"after!"))
        link(*arguments, **options)  # type: ignore[arg-type]  # passed through

    monkeypatch.setattr(os, "link", replace_first)
    copy = blobs.copy(KEY, "raw/retry/source")
    assert get(blobs, "raw/retry/source") == b"before"
    assert copy == blobs.stat("raw/retry/source")


def test_a_file_replaced_while_it_is_fetched_is_checked_again(
    blobs: LocalBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an etag any version will do, but one, and whole."""
    put(blobs, KEY, b"before")
    link, seen = os.link, list[object]()

    def replace_first(*arguments: object, **options: object) -> None:
        if not seen:
            seen.append(put(blobs, KEY, b"after!"))
        link(*arguments, **options)  # type: ignore[arg-type]  # passed through

    monkeypatch.setattr(os, "link", replace_first)
    path = blobs.fetch(KEY, tmp_path)
    assert path.read_bytes() == b"after!"
    assert sorted(tmp_path.iterdir()) == sorted([path, tmp_path / "objects"])


def test_where_files_grow_is_found_again_wherever_it_is(
    blobs: LocalBlobs, tmp_path: Path
) -> None:
    """Other hands may clear it away, or move the whole tree and begin a new one."""
    root, aside = tmp_path / "objects", tmp_path / "aside"
    put(blobs, KEY, b"first")
    shutil.rmtree(root / ".incoming")
    put(blobs, KEY, b"second")
    assert get(blobs, KEY) == b"second"
    root.rename(aside)
    put(blobs, KEY, b"third")
    assert get(blobs, KEY) == b"third"
    assert (aside / KEY).read_bytes() == b"second"


@pytest.mark.parametrize("above", [0, 1])
def test_a_folder_that_was_moved_away_takes_no_more_objects(
    blobs: LocalBlobs, tmp_path: Path, above: int
) -> None:
    """Though it may still be held open: what counts is what bears its name now."""
    place, aside = tmp_path / "objects" / KEY, tmp_path / "aside"
    put(blobs, KEY, b"first")
    place.parents[above].rename(aside)
    put(blobs, KEY, b"second")
    assert place.read_bytes() == b"second"
    assert [f.read_bytes() for f in aside.rglob(place.name)] == [b"first"]


@pytest.mark.parametrize("above", [0, 1])
def test_a_link_to_the_very_folder_that_stood_there_is_no_way_in(
    blobs: LocalBlobs, tmp_path: Path, above: int
) -> None:
    """Wherever it leads: a folder that is held open is not reached through a link."""
    folder, aside = (tmp_path / "objects" / KEY).parents[above], tmp_path / "aside"
    put(blobs, KEY, b"first")
    folder.rename(aside)
    folder.symlink_to(aside)
    with pytest.raises(InvalidRequest, match="another object"):
        put(blobs, KEY, b"second")
    assert [f.read_bytes() for f in aside.rglob(Path(KEY).name)] == [b"first"]
