"""What the dead leave behind is removed; what the living use is not."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pixtools.storage.local import LocalBlobs
from pixtools.storage.scratch import ScratchDirectories
from pixtools.testing.port_suites.blobs import KEY, get

AT_ONCE = timedelta(0)


@pytest.fixture
def abandoned(tmp_path: Path) -> Path:
    """A file of a writer that is no more."""
    LocalBlobs(tmp_path).check()
    path = tmp_path / ".incoming" / "0123456789abcdef"
    path.write_bytes(b"half a ph")
    return path


def test_an_abandoned_file_is_swept(tmp_path: Path, abandoned: Path) -> None:
    """It has no lock."""
    assert LocalBlobs(tmp_path).sweep(AT_ONCE) == 1
    assert not abandoned.exists()


def test_a_young_file_may_not_have_its_lock_yet(
    tmp_path: Path, abandoned: Path
) -> None:
    """Age is counted from the last change of any kind."""
    assert LocalBlobs(tmp_path).sweep(timedelta(minutes=1)) == 0
    assert abandoned.exists()


def test_a_writer_at_work_is_not_disturbed(tmp_path: Path) -> None:
    """However long it takes."""
    blobs = LocalBlobs(tmp_path)
    writer = blobs.writer(KEY)
    writer.write(b"slow ")
    assert LocalBlobs(tmp_path).sweep(AT_ONCE) == 0
    writer.write(b"upload")
    writer.commit()
    assert get(blobs, KEY) == b"slow upload"


def test_scratch_is_private_empty_and_gone_afterwards(tmp_path: Path) -> None:
    """Whatever was left there."""
    with ScratchDirectories(tmp_path / "scratch").directory() as directory:
        assert list(directory.iterdir()) == []
        assert directory.stat().st_mode & 0o777 == 0o700
        (directory / "deep" / "er").mkdir(parents=True)
        (directory / "deep" / "er" / "file").write_bytes(b"x")
    assert list((tmp_path / "scratch").iterdir()) == []


def test_links_left_in_scratch_spare_what_they_lead_to(tmp_path: Path) -> None:
    """A child may have made them; files and folders outside are none of its own."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_bytes(b"x")
    with ScratchDirectories(tmp_path / "scratch").directory() as directory:
        (directory / "folder").symlink_to(outside)
        (directory / "file").symlink_to(outside / "file")
        (directory / "deep").mkdir()
        (directory / "deep" / "folder").symlink_to(outside)
    assert list((tmp_path / "scratch").iterdir()) == []
    assert (outside / "file").read_bytes() == b"x"


def test_scratch_that_was_cleared_away_is_made_again(tmp_path: Path) -> None:
    """With the folder that all of it is in, and while the service runs."""
    scratch = ScratchDirectories(tmp_path / "scratch")
    with scratch.directory():
        pass
    (tmp_path / "scratch").rmdir()
    with scratch.directory() as directory:
        assert directory.is_dir()


def test_scratch_is_gone_when_the_work_fails(tmp_path: Path) -> None:
    """The failure itself passes through."""

    def work() -> None:
        with ScratchDirectories(tmp_path).directory() as directory:
            (directory / "half").write_bytes(b"x")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert list(tmp_path.iterdir()) == []


def test_two_works_have_two_directories(tmp_path: Path) -> None:
    """Nobody meets anybody."""
    scratch = ScratchDirectories(tmp_path)
    with scratch.directory() as one, scratch.directory() as two:
        assert one != two
        assert one.is_absolute()


def test_scratch_of_the_dead_is_swept_and_of_the_living_is_not(tmp_path: Path) -> None:
    """A lock tells them apart."""
    scratch = ScratchDirectories(tmp_path)
    (tmp_path / "work-dead").mkdir()
    (tmp_path / "work-dead" / "file").write_bytes(b"x")
    (tmp_path / "not-ours").mkdir()
    with scratch.directory() as alive:
        assert ScratchDirectories(tmp_path).sweep() == 1
        assert sorted(tmp_path.iterdir()) == [tmp_path / "not-ours", alive]


def test_sweeping_needs_no_scratch(tmp_path: Path) -> None:
    """The first start finds nothing."""
    assert ScratchDirectories(tmp_path / "none").sweep() == 0
