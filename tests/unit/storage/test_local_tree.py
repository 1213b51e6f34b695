"""A tree of objects stands up to what else may be in a directory."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from pixtools.domain.errors import InvalidRequest, StorageUnavailable, UploadMismatch
from pixtools.storage.incoming import AREA, Incoming
from pixtools.storage.local import LocalBlobs
from pixtools.testing.port_suites.blobs import KEY, get, put
from pixtools.testing.serving import PROBE

INBOX = "inbox/default/photo.jpg"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "objects"


@pytest.fixture
def blobs(root: Path) -> LocalBlobs:
    return LocalBlobs(root)


@pytest.fixture
def dropped(root: Path) -> Path:
    """A file that a person has put into the tree."""
    path = root / INBOX
    path.parent.mkdir(parents=True)
    path.write_bytes(b"dropped by hand")
    return path


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file that is none of ours, outside of the tree."""
    path = tmp_path / "outside" / "secret"
    path.parent.mkdir()
    path.write_bytes(b"secret")
    return path


def test_nothing_is_made_before_something_is_written(
    blobs: LocalBlobs, root: Path
) -> None:
    """Looking leaves no trace."""
    assert blobs.stat(KEY) is None
    assert blobs.delete("raw/") == 0
    assert not root.exists()


def test_objects_are_private_and_read_only(blobs: LocalBlobs, root: Path) -> None:
    """No other user reads them; nobody changes them in place by mistake."""
    put(blobs, KEY, b"x")
    assert stat.S_IMODE((root / KEY).stat().st_mode) == 0o400
    assert stat.S_IMODE((root / KEY).parent.stat().st_mode) == 0o700


def test_a_file_dropped_by_hand_is_an_object(blobs: LocalBlobs, dropped: Path) -> None:
    """It is hashed when it is first asked for."""
    blob = blobs.stat(INBOX)
    assert blob is not None
    assert blob.sha256 == hashlib.sha256(dropped.read_bytes()).hexdigest()
    assert blob.content_type is None
    assert blobs.stat(INBOX) == blob


def test_a_file_that_was_changed_in_place_is_another_object(
    blobs: LocalBlobs, dropped: Path, tmp_path: Path
) -> None:
    """Its etag changes, also when its length does not."""
    before = blobs.stat(INBOX)
    assert before is not None
    dropped.write_bytes(b"changed by hand")
    after = blobs.stat(INBOX)
    assert after is not None
    assert (after.bytes, after.etag == before.etag) == (before.bytes, False)
    with pytest.raises(UploadMismatch):
        blobs.fetch(INBOX, tmp_path, etag=before.etag)


def test_a_copy_of_a_file_dropped_by_hand_does_not_change_with_it(
    blobs: LocalBlobs, dropped: Path
) -> None:
    """Only files that never change share their bytes."""
    blobs.copy(INBOX, KEY)
    with dropped.open("r+b") as file:
        file.write(b"changed")
    assert get(blobs, KEY) == b"dropped by hand"


def test_a_copy_of_an_object_takes_no_room(blobs: LocalBlobs, root: Path) -> None:
    """It is a second name for the same bytes."""
    put(blobs, KEY, b"x" * 1000)
    blobs.copy(KEY, "raw/retry/source")
    assert (root / KEY).samefile(root / "raw/retry/source")


def test_a_fetched_file_takes_no_room(
    blobs: LocalBlobs, root: Path, tmp_path: Path
) -> None:
    """It is a second name too, and absolute wherever the process stands."""
    put(blobs, KEY, b"x")
    path = blobs.fetch(KEY, tmp_path)
    assert path.parent == tmp_path
    assert path.samefile(root / KEY)


def test_without_links_a_file_is_fetched_in_place(
    blobs: LocalBlobs, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scratch on another file system costs no copy either; `copy` reads then."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    put(blobs, KEY, b"x", "image/png")
    monkeypatch.setattr(os, "link", refuse)
    assert blobs.fetch(KEY, tmp_path) == root / KEY
    assert blobs.copy(KEY, "raw/retry/source").content_type == "image/png"
    assert get(blobs, "raw/retry/source") == b"x"


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b'{"sha256": "beef"}', b'{"sha256": 5}', None]
)
def test_what_is_known_of_an_object_heals(
    blobs: LocalBlobs, root: Path, damage: bytes | None
) -> None:
    """A lost or torn side file costs the content type, never the truth."""
    blob = put(blobs, KEY, b"x", "image/png")
    (side,) = (root / KEY).parent.glob(".*")
    if damage is None:
        side.unlink()
    else:
        side.write_bytes(damage)
    assert blobs.stat(KEY) == replace(blob, content_type=None)
    assert b"sha256" in side.read_bytes()


def test_a_restored_backup_is_the_same_store(
    blobs: LocalBlobs, root: Path, tmp_path: Path
) -> None:
    """Jobs that wait still find the source they have verified."""
    blob = put(blobs, KEY, b"x")
    shutil.copytree(root, tmp_path / "restored")
    restored = LocalBlobs(tmp_path / "restored")
    assert restored.fetch(KEY, tmp_path, etag=blob.etag).read_bytes() == b"x"


def test_replacing_keeps_no_old_facts(blobs: LocalBlobs, root: Path) -> None:
    """However often an object is written, one file stands beside it."""
    for n in range(5):
        put(blobs, KEY, bytes([n]) * (n + 1))
    assert len(list((root / KEY).parent.iterdir())) == 2


def test_links_lead_nowhere(blobs: LocalBlobs, root: Path, secret: Path) -> None:
    """Neither a linked file nor a linked folder shows what is outside."""
    (root / "raw").mkdir(parents=True)
    (root / "raw" / "file").symlink_to(secret)
    (root / "raw" / "folder").symlink_to(secret.parent)
    for key in ("raw/file", "raw/folder/secret"):
        assert blobs.stat(key) is None
    with pytest.raises(InvalidRequest, match="another object"):
        put(blobs, "raw/folder/new", b"x")
    assert list(secret.parent.iterdir()) == [secret]


def test_deleting_a_link_spares_what_it_leads_to(
    blobs: LocalBlobs, root: Path, secret: Path
) -> None:
    """The link is in the tree; its target is not."""
    (root / "raw" / "job").mkdir(parents=True)
    (root / "raw" / "job" / "file").symlink_to(secret)
    (root / "raw" / "job" / "folder").symlink_to(secret.parent)
    blobs.delete("raw/job/")
    assert not (root / "raw").exists()
    assert secret.read_bytes() == b"secret"


def test_writing_over_a_link_replaces_the_link(
    blobs: LocalBlobs, root: Path, secret: Path
) -> None:
    """Nothing is written through it."""
    (root / KEY).parent.mkdir(parents=True)
    (root / KEY).symlink_to(secret)
    put(blobs, KEY, b"ours")
    assert get(blobs, KEY) == b"ours"
    assert secret.read_bytes() == b"secret"


def test_pipes_and_folders_are_no_objects(blobs: LocalBlobs, root: Path) -> None:
    """And nobody waits for a pipe to speak."""
    (root / "raw" / "folder").mkdir(parents=True)
    os.mkfifo(root / "raw" / "pipe")
    assert blobs.stat("raw/pipe") is None
    assert blobs.stat("raw/folder") is None


def test_a_key_can_not_run_through_an_object(blobs: LocalBlobs, root: Path) -> None:
    """Nor end at a folder of objects; what was there stays."""
    put(blobs, "raw/a", b"x")
    put(blobs, "raw/b/c", b"y")
    for key in ("raw/a/below", "raw/b"):
        with pytest.raises(InvalidRequest, match="another object"):
            put(blobs, key, b"z")
    assert (get(blobs, "raw/a"), get(blobs, "raw/b/c")) == (b"x", b"y")
    assert list((root / ".incoming").iterdir()) == []


def test_a_reader_that_is_forgotten_holds_nothing_open(blobs: LocalBlobs) -> None:
    """Generators that were never run, or only begun, let go of their file."""
    put(blobs, KEY, b"x" * 600_000)
    before = psutil.Process().num_fds()
    blobs.read(KEY)
    next(blobs.read(KEY))
    blobs.writer(KEY).write(b"y")
    assert psutil.Process().num_fds() == before


def test_a_full_or_refusing_disk_is_said_in_a_sentence(
    root: Path, blobs: LocalBlobs
) -> None:
    """Without a path: the sentence reaches clients."""
    root.parent.mkdir(exist_ok=True)
    root.write_text("a file where the directory should be")
    with pytest.raises(StorageUnavailable) as away:
        blobs.check()
    assert away.value.retryable
    assert str(root) not in away.value.detail
    assert away.value.detail.endswith(".")


def test_a_probe_is_known_by_its_name(
    blobs: LocalBlobs, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sees one come and go knows that it is no upload."""
    monkeypatch.setattr(Incoming, "discard", lambda self, name: None)
    blobs.check()
    (left,) = (root / AREA).iterdir()
    assert left.name.startswith(PROBE)


def test_a_store_that_can_be_written_passes_its_check(
    blobs: LocalBlobs, root: Path
) -> None:
    """And keeps nothing of the probe."""
    blobs.check()
    assert list((root / ".incoming").iterdir()) == []
