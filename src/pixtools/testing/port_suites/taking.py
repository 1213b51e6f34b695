"""What every store promises of whole files. Subclass, and give the fixture `blobs`."""

# ruff: noqa: S101 - a suite is made of methods that assert

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from threading import Timer

import pytest

from pixtools.domain.errors import LeaseLost, StorageUnavailable
from pixtools.jobs.ports.blobs import Blobs
from pixtools.testing.port_suites.blobs import KEY, LONG, get


class TakingSuite:
    """A file that somebody else has made becomes an object."""

    def test_a_file_becomes_an_object(self, blobs: Blobs, tmp_path: Path) -> None:
        """With a beat at least once a mebibyte; the file may go afterwards."""
        file, beats = tmp_path / "made", list[int]()
        file.write_bytes(LONG * 2 + b"!")
        writer = blobs.writer(KEY, "image/png")
        writer.take(file, lambda: beats.append(1))
        blob = writer.commit()
        file.unlink()
        assert len(beats) >= 2
        assert get(blobs, KEY) == LONG * 2 + b"!"
        assert (blob.bytes, blob.content_type) == (2 * len(LONG) + 1, "image/png")
        assert blob.sha256 == hashlib.sha256(LONG * 2 + b"!").hexdigest()
        assert blobs.stat(KEY) == blob

    def test_a_file_may_be_empty(self, blobs: Blobs, tmp_path: Path) -> None:
        """It makes an empty object."""
        file = tmp_path / "made"
        file.touch()
        writer = blobs.writer(KEY)
        writer.take(file, lambda: None)
        assert writer.commit().bytes == 0
        assert get(blobs, KEY) == b""

    def test_a_link_is_not_followed(self, blobs: Blobs, tmp_path: Path) -> None:
        """It might lead to any file of ours."""
        file, link = tmp_path / "made", tmp_path / "link"
        file.write_bytes(LONG)
        link.symlink_to(file)
        writer = blobs.writer(KEY)
        with pytest.raises(StorageUnavailable):
            writer.take(link, lambda: None)
        writer.abort()
        assert blobs.stat(KEY) is None

    def test_a_pipe_is_not_waited_for(self, blobs: Blobs, tmp_path: Path) -> None:
        """Nobody might ever write to it."""
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        held = os.open(pipe, os.O_RDWR)
        relief = Timer(5.0, os.close, [held])
        relief.start()
        writer = blobs.writer(KEY)
        with pytest.raises(StorageUnavailable):
            writer.take(pipe, lambda: None)
        writer.abort()
        assert relief.is_alive()
        relief.cancel()
        os.close(held)

    def test_a_beat_may_call_it_off(self, blobs: Blobs, tmp_path: Path) -> None:
        """Nothing becomes visible, and the file is taken as well the next time."""
        file = tmp_path / "made"
        file.write_bytes(LONG)

        def lose() -> None:
            raise LeaseLost

        writer = blobs.writer(KEY)
        with pytest.raises(LeaseLost):
            writer.take(file, lose)
        writer.abort()
        assert blobs.stat(KEY) is None
        writer = blobs.writer(KEY)
        writer.take(file, lambda: None)
        assert writer.commit().bytes == len(LONG)

    def test_a_finished_writer_takes_no_file(
        self, blobs: Blobs, tmp_path: Path
    ) -> None:
        """As it takes no bytes."""
        file = tmp_path / "made"
        file.write_bytes(LONG)
        writer = blobs.writer(KEY)
        writer.abort()
        with pytest.raises(ValueError, match="committed or aborted"):
            writer.take(file, lambda: None)
