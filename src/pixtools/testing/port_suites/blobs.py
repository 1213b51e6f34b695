"""What every store of bytes promises. Subclass, and give the fixture `blobs`."""

# ruff: noqa: S101 - a suite is made of methods that assert

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pixtools.domain.errors import SourceMissing, UploadMismatch
from pixtools.jobs.ports.blobs import Blob, Blobs

KEY = "raw/0198c0de/source"
LONG = bytes(range(256)) * 4096
"""A mebibyte: more than one chunk anywhere."""


def put(blobs: Blobs, key: str, data: bytes, content_type: str | None = None) -> Blob:
    """Write an object in one go."""
    writer = blobs.writer(key, content_type)
    writer.write(data)
    return writer.commit()


def get(blobs: Blobs, key: str) -> bytes:
    """Read an object in one go."""
    return b"".join(blobs.read(key))


class WritingSuite:
    """Nothing is visible before it is whole."""

    def test_an_object_is_what_was_written(self, blobs: Blobs) -> None:
        """Chunks are joined in order; facts are those of the bytes."""
        writer = blobs.writer(KEY, "image/png")
        writer.write(b"one ")
        writer.write(b"")
        writer.write(b"two")
        blob = writer.commit()
        assert get(blobs, KEY) == b"one two"
        assert (blob.key, blob.bytes, blob.content_type) == (KEY, 7, "image/png")
        assert blob.sha256 == hashlib.sha256(b"one two").hexdigest()

    def test_stat_says_what_commit_said(self, blobs: Blobs) -> None:
        """Facts rest with the object."""
        committed = put(blobs, KEY, LONG, "image/webp")
        assert blobs.stat(KEY) == committed

    def test_an_object_may_be_empty(self, blobs: Blobs) -> None:
        """No byte at all is an object too."""
        assert blobs.writer(KEY).commit().bytes == 0
        assert get(blobs, KEY) == b""
        assert blobs.stat(KEY) is not None

    def test_nothing_is_visible_before_commit(self, blobs: Blobs) -> None:
        """Readers meet whole objects only."""
        writer = blobs.writer(KEY)
        writer.write(LONG)
        assert blobs.stat(KEY) is None
        writer.abort()

    def test_an_older_object_stays_until_commit(self, blobs: Blobs) -> None:
        """Replacing is one step."""
        old = put(blobs, KEY, b"old", "text/plain")
        writer = blobs.writer(KEY, "image/png")
        writer.write(b"new!")
        assert blobs.stat(KEY) == old
        new = writer.commit()
        assert blobs.stat(KEY) == new
        assert new.etag != old.etag

    def test_aborting_leaves_nothing(self, blobs: Blobs) -> None:
        """Aborting is harmless twice, and before anything was written."""
        writer = blobs.writer(KEY)
        writer.write(LONG)
        writer.abort()
        writer.abort()
        blobs.writer(KEY).abort()
        assert blobs.stat(KEY) is None
        assert blobs.delete("raw/") == 0

    def test_aborting_after_commit_changes_nothing(self, blobs: Blobs) -> None:
        """So `finally: writer.abort()` is right."""
        writer = blobs.writer(KEY)
        writer.write(b"kept")
        writer.commit()
        writer.abort()
        assert get(blobs, KEY) == b"kept"

    def test_a_finished_writer_takes_no_more(self, blobs: Blobs) -> None:
        """Bytes after the end would be lost, so they are refused."""
        writer = blobs.writer(KEY)
        writer.commit()
        with pytest.raises(ValueError, match="committed or aborted"):
            writer.write(b"late")
        with pytest.raises(ValueError, match="committed or aborted"):
            writer.commit()

    def test_of_many_writers_one_wins_whole(self, blobs: Blobs) -> None:
        """Whoever reads meanwhile sees one writer's bytes and facts, never a mix."""
        versions = [bytes([n]) * (50_000 + n) for n in range(8)]
        hashes = {hashlib.sha256(v).hexdigest(): len(v) for v in versions}
        put(blobs, KEY, versions[0])
        with ThreadPoolExecutor(8) as pool:
            writes = [pool.submit(put, blobs, KEY, v) for v in versions * 4]
            while not all(write.done() for write in writes):
                assert get(blobs, KEY) in versions
                seen = blobs.stat(KEY)
                assert seen is not None
                assert hashes[str(seen.sha256)] == seen.bytes
        assert {write.result().sha256 for write in writes} == hashes.keys()
        last = blobs.stat(KEY)
        assert last is not None
        assert hashlib.sha256(get(blobs, KEY)).hexdigest() == last.sha256

    def test_keys_may_hold_any_script(self, blobs: Blobs) -> None:
        """Objects of an inbox are named by people."""
        key = "inbox/default/Łódź 写真 (1).jpg"
        put(blobs, key, b"picture")
        assert get(blobs, key) == b"picture"


class ReadingSuite:
    """Bytes come in chunks, or as a local file."""

    @pytest.mark.parametrize(
        ("start", "length", "expected"),
        [
            pytest.param(0, None, LONG, id="all"),
            pytest.param(0, 0, b"", id="nothing"),
            pytest.param(1, 3, LONG[1:4], id="a few"),
            pytest.param(300_000, 600_000, LONG[300_000:900_000], id="across chunks"),
            pytest.param(len(LONG) - 2, None, LONG[-2:], id="to the end"),
            pytest.param(len(LONG) - 2, 99, LONG[-2:], id="beyond the end"),
            pytest.param(len(LONG), 5, b"", id="from the end"),
            pytest.param(len(LONG) + 7, 5, b"", id="from beyond the end"),
        ],
    )
    def test_a_range_is_read(
        self, blobs: Blobs, start: int, length: int | None, expected: bytes
    ) -> None:
        """Ranges are cut at the end of the object."""
        put(blobs, KEY, LONG)
        assert b"".join(blobs.read(KEY, start=start, length=length)) == expected

    def test_long_objects_come_in_pieces(self, blobs: Blobs) -> None:
        """Nobody has to hold an object in memory."""
        put(blobs, KEY, LONG)
        sizes = [len(chunk) for chunk in blobs.read(KEY)]
        assert max(sizes) <= len(LONG) // 2
        assert min(sizes) > 0

    def test_what_is_missing_is_said(self, blobs: Blobs, tmp_path: Path) -> None:
        """Each verb that needs an object refuses without one."""
        put(blobs, KEY, b"a neighbour")
        for absent in ("raw/0198c0de/sourc", "raw/0198c0de", "raw/none/source"):
            assert blobs.stat(absent) is None
            for call in (
                lambda key: list(blobs.read(key)),
                lambda key: blobs.fetch(key, tmp_path),
                lambda key: blobs.copy(key, "raw/other/source"),
            ):
                with pytest.raises(SourceMissing):
                    call(absent)

    def test_a_file_is_fetched(self, blobs: Blobs, tmp_path: Path) -> None:
        """The path has all bytes; fetching twice gives two usable paths."""
        blob = put(blobs, KEY, LONG)
        first = blobs.fetch(KEY, tmp_path, etag=blob.etag)
        second = blobs.fetch(KEY, tmp_path)
        assert first.read_bytes() == second.read_bytes() == LONG

    def test_a_swapped_object_is_not_read(self, blobs: Blobs, tmp_path: Path) -> None:
        """Whoever verified one object gets that one or an error."""
        verified = put(blobs, KEY, b"verified")
        assert b"".join(blobs.read(KEY, etag=verified.etag)) == b"verified"
        put(blobs, KEY, b"swapped!")
        with pytest.raises(UploadMismatch):
            blobs.fetch(KEY, tmp_path, etag=verified.etag)
        with pytest.raises(UploadMismatch):
            list(blobs.read(KEY, etag=verified.etag))
        assert list(tmp_path.iterdir()) == []

    def test_a_fetched_file_never_changes(self, blobs: Blobs, tmp_path: Path) -> None:
        """Replacing or deleting the object does not reach who works on it."""
        put(blobs, KEY, b"before")
        path = blobs.fetch(KEY, tmp_path)
        put(blobs, KEY, b"after")
        blobs.delete(KEY)
        assert path.read_bytes() == b"before"

    def test_reading_goes_on_when_the_object_is_replaced(self, blobs: Blobs) -> None:
        """An open download ends as it began, or fails; it never mixes."""
        put(blobs, KEY, LONG)
        chunks: Iterator[bytes] = blobs.read(KEY)
        start = next(chunks)
        put(blobs, KEY, b"\0" * len(LONG))
        assert start + b"".join(chunks) == LONG


class KeepingSuite:
    """Objects are copied, and deleted by what their keys begin with."""

    def test_a_copy_is_the_same_object_under_another_key(self, blobs: Blobs) -> None:
        """Bytes, facts and etag."""
        source = put(blobs, "inbox/default/a.jpg", LONG, "image/jpeg")
        copy = blobs.copy("inbox/default/a.jpg", KEY)
        assert copy == blobs.stat(KEY)
        assert (copy.bytes, copy.sha256) == (source.bytes, source.sha256)
        assert copy.content_type == "image/jpeg"
        assert get(blobs, KEY) == LONG

    def test_a_copy_lives_on_its_own(self, blobs: Blobs) -> None:
        """Changing or deleting the original does not reach it."""
        put(blobs, "inbox/default/a.jpg", b"original")
        blobs.copy("inbox/default/a.jpg", KEY)
        put(blobs, "inbox/default/a.jpg", b"changed")
        assert get(blobs, KEY) == b"original"
        blobs.delete("inbox/")
        assert get(blobs, KEY) == b"original"

    def test_a_copy_replaces(self, blobs: Blobs) -> None:
        """Also itself, and a copy of the same."""
        put(blobs, "inbox/default/a.jpg", b"original", "image/jpeg")
        put(blobs, KEY, b"older")
        for _ in range(2):
            blobs.copy("inbox/default/a.jpg", KEY)
            blobs.copy(KEY, KEY)
        assert get(blobs, KEY) == b"original"
        assert blobs.delete("inbox/") == 1
        assert blobs.delete("raw/") == 1

    def test_deleting_takes_what_begins_alike_and_nothing_else(
        self, blobs: Blobs
    ) -> None:
        """A prefix may end at a slash, inside a name, or be a whole key."""
        keys = ["raw/ab/source", "raw/abc/source", "raw/ab/x/y", "raw/b/source"]
        for key in [*keys, "processed/ab/1.webp", "processed/ab/10.webp"]:
            put(blobs, key, b"x")
        assert blobs.delete("raw/ab/") == 2
        assert blobs.stat("raw/abc/source")
        assert blobs.delete("processed/ab/1.webp") == 1
        assert blobs.stat("processed/ab/10.webp")
        assert blobs.delete("raw/a") == 1
        assert blobs.stat("raw/b/source")
        assert blobs.delete("raw/") == 1
        assert blobs.delete("raw/") == 0

    def test_deleting_and_writing_at_once_break_nothing(self, blobs: Blobs) -> None:
        """A commit succeeds; its object is deleted too, or whole."""
        with ThreadPoolExecutor(4) as pool:
            writes = [
                pool.submit(put, blobs, f"raw/job/{n % 3}", b"x" * n) for n in range(60)
            ]
            while not all(write.done() for write in writes):
                blobs.delete("raw/job/")
        assert [write.result().bytes for write in writes] == list(range(60))
        for name in range(3):
            blob = blobs.stat(f"raw/job/{name}")
            assert blob is None or blob.bytes == len(get(blobs, blob.key))
        blobs.delete("raw/job/")
        assert blobs.stat("raw/job/0") is None


class BlobsSuite(WritingSuite, ReadingSuite, KeepingSuite):
    """All promises of `jobs.ports.blobs.Blobs`."""
