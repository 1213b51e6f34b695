"""What the adapter of buckets adds to the port, shown on obstore's store in memory."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from pixtools.domain.errors import InvalidRequest
from pixtools.domain.limits import MIB
from pixtools.storage.object_writer import ObjectWriter
from pixtools.storage.objects import ObjectBlobs

KEY = "processed/a/1.tiff"


@pytest.fixture
def blobs() -> ObjectBlobs:
    return ObjectBlobs(MemoryStore())


def write(writer: ObjectWriter, size: int, chunk: int = 3 * MIB) -> str:
    """Write so many bytes in uneven chunks; their hash."""
    data = os.urandom(size)
    for at in range(0, size, chunk):
        writer.write(data[at : at + chunk])
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    "size", [8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 16 * MIB, 21 * MIB]
)
def test_an_object_of_parts_is_whole(blobs: ObjectBlobs, size: int) -> None:
    """Whether it fits one part, just does not, or fills several to the brim."""
    writer = blobs.writer(KEY, "image/tiff")
    sha256 = write(writer, size)
    blob = writer.commit()
    assert (blob.bytes, blob.sha256) == (size, sha256)
    assert hashlib.sha256(b"".join(blobs.read(KEY))).hexdigest() == sha256
    found = blobs.stat(KEY)
    assert found is not None
    assert (found.bytes, found.etag, found.content_type) == (
        size,
        blob.etag,
        "image/tiff",
    )


def test_a_hash_is_known_later_where_one_request_was_enough(blobs: ObjectBlobs) -> None:
    """Metadata is sent before the last part, and the hash is known after it."""
    for size, is_known in [(8 * MIB, True), (8 * MIB + 1, False)]:
        writer = blobs.writer(KEY)
        sha256 = write(writer, size)
        writer.commit()
        found = blobs.stat(KEY)
        assert found is not None
        assert found.sha256 == (sha256 if is_known else None)


def test_a_hash_that_others_may_have_written_is_not_believed() -> None:
    """Not every store lets us bind what a link's holder stores beside the bytes."""
    blobs = ObjectBlobs(MemoryStore(), believes=False)
    assert blobs.writer(KEY).commit().sha256
    found = blobs.stat(KEY)
    assert found is not None
    assert found.sha256 is None


def test_a_range_across_pieces_is_joined(blobs: ObjectBlobs) -> None:
    """Each piece is a request of its own."""
    data = os.urandom(10 * MIB)
    writer = blobs.writer(KEY)
    writer.write(data)
    writer.commit()
    start, length = 4 * MIB - 5, 4 * MIB + 10
    assert (
        b"".join(blobs.read(KEY, start=start, length=length))
        == (data[start : start + length])
    )


def test_a_writer_that_is_forgotten_leaves_nothing(blobs: ObjectBlobs) -> None:
    """Neither an object nor a thread that waits for ever."""
    writer = blobs.writer(KEY)
    write(writer, 9 * MIB)
    del writer
    assert blobs.stat(KEY) is None


def test_objects_beyond_one_page_are_deleted_too(blobs: ObjectBlobs) -> None:
    """Stores list a thousand at a time."""
    for n in range(1003):
        blobs.writer(f"raw/{n:04}/source").commit()
    blobs.writer("rawer/source").commit()
    assert blobs.delete("raw/") == 1003
    assert blobs.stat("rawer/source")


@pytest.mark.parametrize("key", ["", "/etc", "a//b", "a/../b", "a/.hidden", "a\\b"])
def test_keys_are_those_that_a_directory_could_hold(
    blobs: ObjectBlobs, key: str, tmp_path: Path
) -> None:
    """So that a deployment may change its store."""
    for call in (
        lambda: blobs.writer(key),
        lambda: list(blobs.read(key)),
        lambda: blobs.fetch(key, tmp_path),
        lambda: blobs.stat(key),
        lambda: blobs.copy(key, KEY),
        lambda: blobs.copy(KEY, key),
        lambda: blobs.delete(key),
    ):
        with pytest.raises(InvalidRequest):
            call()


def test_a_fork_is_told_instead_of_waiting_for_ever(unmeasured: dict[str, str]) -> None:
    """obstore's threads stay behind in the parent."""
    script = (
        "import os, sys\n"
        "from obstore.store import MemoryStore\n"
        "from pixtools.storage.objects import ObjectBlobs\n"
        "blobs = ObjectBlobs(MemoryStore())\n"
        "blobs.stat('a/b')\n"
        "child = os.fork()\n"
        "if child:\n"
        "    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
        "try:\n"
        "    blobs.stat('a/b')\n"
        "except RuntimeError as told:\n"
        "    os._exit(0 if 'forked' in str(told) else 2)\n"
        "os._exit(3)\n"
    )
    quiet = {**unmeasured, "PYTHONWARNINGS": "ignore"}
    subprocess.run([sys.executable, "-c", script], env=quiet, check=True, timeout=60)
