"""Sources that do not come with the request: in the store, or on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path, PosixPath
from typing import Any

import pytest

from pixtools.domain.errors import (
    InvalidRequest,
    QueueFull,
    SourceMissing,
    UnsupportedFormat,
)
from pixtools.domain.pipeline import Pipeline
from pixtools.jobs.photos import seen_file
from pixtools.jobs.submit import (
    IdempotencyKey,
    Order,
    submit_file,
    submit_object,
)
from pixtools.testing.house import RESIZED, House, tiny_gif

ORDER = Order(pipeline=Pipeline.parse([RESIZED]))
GIF = tiny_gif()
SHA256 = hashlib.sha256(GIF).hexdigest()


def put(house: House, key: str, data: bytes = GIF) -> None:
    writer = house.blobs.writer(key)
    writer.write(data)
    writer.commit()


def test_an_object_of_ones_own_is_copied(house: House) -> None:
    """What happens to it later does not touch the job."""
    put(house, "inbox/default/holiday/cat.gif")
    key = "inbox/default/holiday/cat.gif"
    job = submit_object(house.service, ORDER, key=key).job
    assert (job.source.type, job.source.filename) == ("object", "cat.gif")
    house.blobs.delete("inbox/")
    house.work()
    assert house.job(job.id).status == "succeeded"


@pytest.mark.parametrize("key", ["inbox/acme/cat.gif", "raw/x/source", "inbox/default"])
def test_others_objects_are_not_looked_at(house: House, key: str) -> None:
    put(house, key)
    with pytest.raises(InvalidRequest):
        submit_object(house.service, ORDER, key=key)
    assert house.blobs.keys() == [key]


def test_an_object_that_is_none_is_missing(house: House) -> None:
    with pytest.raises(SourceMissing):
        submit_object(house.service, ORDER, key="inbox/default/none")
    put(house, "inbox/default/text", b"text" * 99)
    with pytest.raises(UnsupportedFormat):
        submit_object(house.service, ORDER, key="inbox/default/text")
    house.rule(queue_size=0)
    put(house, "inbox/default/cat.gif")
    with pytest.raises(QueueFull):
        submit_object(house.service, ORDER, key="inbox/default/cat.gif")
    assert house.blobs.keys() == ["inbox/default/cat.gif", "inbox/default/text"]


def test_a_repeated_object_is_copied_once(house: House) -> None:
    put(house, "inbox/default/cat.gif")
    order = Order(pipeline=ORDER.pipeline, idempotency=IdempotencyKey("key", "same"))
    first = submit_object(house.service, order, key="inbox/default/cat.gif")
    again = submit_object(house.service, order, key="inbox/default/cat.gif")
    assert again.job.id == first.job.id
    assert len(house.blobs.keys()) == 2


def test_a_file_below_the_root_is_read(house: House, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "cat.gif").write_bytes(GIF)
    house.rule(local_root=tmp_path)
    job = submit_file(house.service, ORDER, path="in/cat.gif").job
    assert (job.source.type, job.source.filename) == ("local_file", "cat.gif")
    assert b"".join(house.blobs.read(job.source.key)) == GIF


@pytest.mark.parametrize("path", ["x" * 300, "dir/" + "y" * 256, "loop", "loop/cat"])
def test_a_name_that_no_file_can_have_is_missing(
    house: House, tmp_path: Path, path: str
) -> None:
    (tmp_path / "loop").symlink_to("loop")
    house.rule(local_root=tmp_path)
    with pytest.raises(SourceMissing):
        submit_file(house.service, ORDER, path=path)


class Locked(PosixPath):
    """A place whose files may be looked at, not read."""

    def open(self, *how: Any, **more: Any) -> Any:
        raise PermissionError(13, "Permission denied", str(self))


@pytest.mark.parametrize("ask", [seen_file, partial(submit_file, order=ORDER)])
def test_a_file_that_may_not_be_read_is_missing(
    house: House, tmp_path: Path, ask: Callable[..., object]
) -> None:
    (tmp_path / "cat.gif").write_bytes(GIF)
    house.rule(local_root=Locked(tmp_path))
    with pytest.raises(SourceMissing):
        ask(house.service, path="cat.gif")
    assert house.blobs.keys() == []


def test_a_file_outside_of_the_root_is_not(house: House, tmp_path: Path) -> None:
    """By whatever way: dots, an absolute path or a symbolic link."""
    root, outside = tmp_path / "root", tmp_path / "cat.gif"
    root.mkdir()
    outside.write_bytes(GIF)
    (root / "link.gif").symlink_to(outside)
    with pytest.raises(InvalidRequest):
        submit_file(house.service, ORDER, path="cat.gif")
    house.rule(local_root=root)
    for path in ("../cat.gif", str(outside), "link.gif"):
        with pytest.raises(InvalidRequest):
            submit_file(house.service, ORDER, path=path)
    with pytest.raises(SourceMissing):
        submit_file(house.service, ORDER, path="none.gif")
    assert house.blobs.keys() == []
