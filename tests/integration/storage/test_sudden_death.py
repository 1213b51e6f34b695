"""Power of the kill: a writer that dies leaves nothing that anybody can see."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from pixtools.domain.errors import SourceMissing
from pixtools.storage.local import LocalBlobs
from pixtools.storage.scratch import ScratchDirectories
from pixtools.testing.port_suites.blobs import KEY, get, put

HALFWAY = """
import sys, pathlib
from pixtools.storage.local import LocalBlobs
writer = LocalBlobs(pathlib.Path(sys.argv[1])).writer(sys.argv[2], "image/png")
writer.write(b"half" * 100_000)
print("halfway", flush=True)
sys.stdin.read()
"""

AT_WORK = """
import sys, pathlib
from pixtools.storage.scratch import ScratchDirectories
with ScratchDirectories(pathlib.Path(sys.argv[1])).directory() as directory:
    (directory / "half").write_bytes(b"x")
    print(directory, flush=True)
    sys.stdin.read()
"""

OVER_AND_OVER = """
import sys, pathlib
from pixtools.storage.local import LocalBlobs
blobs = LocalBlobs(pathlib.Path(sys.argv[1]))
n = 0
while True:
    n += 1
    writer = blobs.writer(sys.argv[2], f"image/{n}")
    writer.write(bytes([n % 256]) * (1000 + n % 256))
    writer.commit()
    if n == 3:
        print("running", flush=True)
"""


@contextmanager
def running(program: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A Python process that has printed its first line; killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    line = process.stdout.readline().strip()
    assert line, "the process has died before it was ready"
    return line


def killed(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_a_killed_writer_leaves_nothing_visible(tmp_path: Path) -> None:
    """Its file is swept as soon as it is dead, and not while it lives."""
    blobs = LocalBlobs(tmp_path)
    with running(HALFWAY, str(tmp_path), KEY) as writer:
        first_line(writer)
        assert blobs.sweep(timedelta(0)) == 0
        killed(writer)
    assert blobs.stat(KEY) is None
    assert blobs.delete("raw/") == 0
    assert blobs.sweep(timedelta(0)) == 1
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_killed_writer_spares_the_older_object(tmp_path: Path) -> None:
    """Replacing is one step, or none."""
    blobs = LocalBlobs(tmp_path)
    older = put(blobs, KEY, b"older", "image/png")
    with running(HALFWAY, str(tmp_path), KEY) as writer:
        first_line(writer)
        killed(writer)
    assert blobs.stat(KEY) == older
    assert get(blobs, KEY) == b"older"


@pytest.mark.parametrize("moment", range(6))
def test_a_kill_at_any_moment_leaves_one_whole_object(
    tmp_path: Path, moment: int
) -> None:
    """A writer replaces an object without pause: bytes and facts belong together."""
    blobs = LocalBlobs(tmp_path)
    with running(OVER_AND_OVER, str(tmp_path), KEY) as writer:
        first_line(writer)
        time.sleep(0.003 * moment)  # no event to wait for: any moment will do
        killed(writer)
    blob = blobs.stat(KEY)
    assert blob is not None
    data = get(blobs, KEY)
    assert len(set(data)) == 1
    assert len(data) == blob.bytes == 1000 + data[0]
    if blob.content_type:
        assert int(blob.content_type.removeprefix("image/")) % 256 == data[0]
    blobs.sweep(timedelta(0))
    blobs.delete("raw/")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_scratch_of_a_killed_worker_is_swept(tmp_path: Path) -> None:
    """At the next start, however short the time between."""
    scratch = ScratchDirectories(tmp_path)
    with running(AT_WORK, str(tmp_path)) as worker:
        directory = Path(first_line(worker))
        assert scratch.sweep() == 0
        assert (directory / "half").exists()
        killed(worker)
    assert scratch.sweep() == 1
    assert list(tmp_path.iterdir()) == []


def test_processes_write_and_delete_one_key(tmp_path: Path) -> None:
    """What is read is always one of theirs, whole; no writer fails."""
    blobs, arguments = LocalBlobs(tmp_path), (OVER_AND_OVER, str(tmp_path), KEY)
    with running(*arguments) as one, running(*arguments) as two:
        first_line(one)
        first_line(two)
        until = time.monotonic() + 60
        for at in range(200):
            data = whole_or_nothing(blobs)
            while at % 10 == 0 and not data:  # they write more slowly than we delete
                assert time.monotonic() < until, "nothing was written any more"
                data = whole_or_nothing(blobs)
            blobs.delete("raw/")
        assert (one.poll(), two.poll()) == (None, None)


def whole_or_nothing(blobs: LocalBlobs) -> bytes:
    try:
        data = get(blobs, KEY)
    except SourceMissing:
        return b""
    assert len(set(data)) == 1
    assert len(data) == 1000 + data[0]
    return data
