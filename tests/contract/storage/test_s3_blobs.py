"""A bucket keeps the promises of the Blobs port, on a server that checks signatures."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from pixtools.domain.errors import (
    SourceMissing,
    StorageUnavailable,
    UploadMismatch,
)
from pixtools.domain.limits import MIB
from pixtools.storage.config import ObjectsConfig
from pixtools.storage.object_store import open_store
from pixtools.storage.objects import ObjectBlobs, open_objects
from pixtools.storage.presign import Presigner
from pixtools.storage.still_objects import StillObjects
from pixtools.testing.clock import HandClock
from pixtools.testing.port_suites.blobs import KEY, LONG, BlobsSuite, get, put
from pixtools.testing.port_suites.taking import TakingSuite
from pixtools.testing.spaces import Bucket, s3_client

PREFIXES = ("raw/", "processed/", "archives/", "inbox/")


@pytest.fixture(scope="module")
def client(s3: Bucket) -> Iterator[Any]:
    """Somebody else's eyes on the bucket."""
    client = s3_client(s3)
    yield client
    client.close()


@pytest.fixture
def blobs(bucket: ObjectsConfig, client: Any) -> Iterator[ObjectBlobs]:
    """Whatever a test does, it leaves no part of an upload behind."""
    blobs = open_objects(bucket)
    yield blobs
    for prefix in PREFIXES:
        blobs.delete(prefix)
    assert unfinished(client, bucket) == []


def unfinished(client: Any, bucket: ObjectsConfig) -> list[str]:
    """Keys of uploads that were neither completed nor aborted."""
    found = client.list_multipart_uploads(Bucket=bucket.bucket)
    return [upload["Key"] for upload in found.get("Uploads", ())]


class TestS3Blobs(BlobsSuite, TakingSuite):
    """Objects in a bucket."""


def test_a_key_is_the_key_that_others_see(
    blobs: ObjectBlobs, bucket: ObjectsConfig, client: Any
) -> None:
    """No character of it is written in another way."""
    keys = [
        "inbox/50% #1?.jpg", "inbox/Łódź 写真 (1).jpg", "inbox/a&b+c=d~'\"<>.jpg",
        "inbox/%41.jpg", "inbox/x*y[1]{2}|^`!$,;:@.jpg",
    ]  # fmt: skip
    for key in keys:
        put(blobs, key, key.encode())
    listed = client.list_objects_v2(Bucket=bucket.bucket, Prefix="inbox/")["Contents"]
    assert sorted(item["Key"] for item in listed) == sorted(keys)
    for key in keys:
        stored = client.get_object(Bucket=bucket.bucket, Key=key)["Body"].read()
        assert stored == get(blobs, key) == key.encode()
    assert blobs.copy(keys[0], keys[1]).bytes == len(keys[0].encode())
    assert [blobs.delete(key) for key in keys] == [1] * len(keys)


def test_a_prefix_keeps_a_deployment_to_itself(
    blobs: ObjectBlobs, bucket: ObjectsConfig, client: Any, tmp_path: Path
) -> None:
    """Others in the bucket are neither seen nor touched; links lead to the object."""
    put(blobs, KEY, b"a neighbour")
    ours = open_objects(replace(bucket, prefix="inbox/shop é"))
    assert ours.stat(KEY) is None
    put(ours, KEY, b"ours")
    put(ours, "raw/other/source", b"another")
    assert ours.copy(KEY, "processed/a/1.tiff").key == "processed/a/1.tiff"
    assert ours.fetch(KEY, tmp_path).read_bytes() == b"ours"
    listed = client.list_objects_v2(Bucket=bucket.bucket, Prefix="inbox/")["Contents"]
    assert [item["Key"] for item in listed] == [
        "inbox/shop é/processed/a/1.tiff",
        "inbox/shop é/raw/0198c0de/source",
        "inbox/shop é/raw/other/source",
    ]
    presigner = Presigner(replace(bucket, prefix="inbox/shop é"), bucket.endpoint)
    url, _ = presigner.url("GET", KEY, timedelta(minutes=1))
    assert httpx2.get(url, trust_env=False).content == b"ours"
    found = StillObjects(
        lambda: open_store(replace(bucket, prefix="inbox/shop é")),
        HandClock(datetime.now(UTC) + timedelta(hours=1)),
        reach=timedelta(hours=1),
    )
    assert list(found.look()) == ["0198c0de", "other"]
    assert [ours.delete(KEY), ours.delete("raw/")] == [1, 1]
    assert get(blobs, KEY) == b"a neighbour"


def test_the_hash_rests_with_the_object(
    blobs: ObjectBlobs, bucket: ObjectsConfig, client: Any
) -> None:
    """Where everyone finds it, and through a copy."""
    blob = put(blobs, KEY, LONG, "image/webp")
    blobs.copy(KEY, "raw/other/source")
    for key in (KEY, "raw/other/source"):
        head = client.head_object(Bucket=bucket.bucket, Key=key)
        assert head["Metadata"] == {"sha256": blob.sha256}
        assert head["ContentType"] == "image/webp"


def test_a_hash_that_is_none_is_not_believed(
    blobs: ObjectBlobs, bucket: ObjectsConfig, client: Any
) -> None:
    """Other programs write into the bucket too."""
    told = {"sha256": "unverified"}
    client.put_object(Bucket=bucket.bucket, Key=KEY, Body=b"x", Metadata=told)
    blob = blobs.stat(KEY)
    assert blob is not None
    assert (blob.bytes, blob.sha256, blob.content_type) == (1, None, None)


def test_an_object_in_parts_is_whole(blobs: ObjectBlobs, tmp_path: Path) -> None:
    """Written in three parts, read in six pieces, fetched by its etag."""
    data = os.urandom(21 * MIB)
    blob = put(blobs, KEY, data, "image/tiff")
    assert get(blobs, KEY) == data
    assert blobs.fetch(KEY, tmp_path, etag=blob.etag).read_bytes() == data
    found = blobs.stat(KEY)
    assert found is not None
    assert (found.etag, found.content_type) == (blob.etag, "image/tiff")
    assert (
        b"".join(blobs.read(KEY, start=4 * MIB - 1, length=2))
        == (data[4 * MIB - 1 : 4 * MIB + 1])
    )


def test_an_aborted_upload_leaves_no_parts(
    blobs: ObjectBlobs, bucket: ObjectsConfig, client: Any
) -> None:
    """Not even those that had arrived; forgetting a writer aborts it."""
    for end in ("abort", "forget"):
        writer = blobs.writer(KEY)
        writer.write(bytes(17 * MIB))
        assert unfinished(client, bucket) == [KEY]
        if end == "abort":
            writer.abort()
        del writer
        assert unfinished(client, bucket) == []
    assert blobs.stat(KEY) is None


def test_an_older_object_stays_while_parts_arrive(blobs: ObjectBlobs) -> None:
    """Replacing is one step, however long it takes."""
    put(blobs, KEY, b"old")
    writer = blobs.writer(KEY)
    writer.write(bytes(17 * MIB))
    assert get(blobs, KEY) == b"old"
    assert writer.commit().bytes == 17 * MIB


def test_an_object_swapped_while_it_is_read_is_refused(
    blobs: ObjectBlobs, tmp_path: Path
) -> None:
    """Versions never mix, in one piece or between two."""
    blob = put(blobs, KEY, bytes(9 * MIB))
    chunks = blobs.read(KEY)
    next(chunks)
    put(blobs, KEY, b"\1" * 9 * MIB)
    with pytest.raises(StorageUnavailable, match="replaced"):
        list(chunks)
    with pytest.raises(UploadMismatch):
        blobs.fetch(KEY, tmp_path, etag=blob.etag)
    assert list(tmp_path.iterdir()) == []


def test_an_object_deleted_while_it_is_read_is_missing(blobs: ObjectBlobs) -> None:
    """Its rest is gone."""
    put(blobs, KEY, bytes(9 * MIB))
    chunks = blobs.read(KEY)
    next(chunks)
    blobs.delete(KEY)
    with pytest.raises(SourceMissing):
        list(chunks)


def test_long_objects_are_written_at_once(blobs: ObjectBlobs) -> None:
    """Uploads in parts don't wait for one another."""
    data = [bytes([n]) * 9 * MIB for n in range(4)]
    with ThreadPoolExecutor(4) as pool:
        keys = [f"processed/{n}/1.tiff" for n in range(4)]
        list(pool.map(lambda key, body: put(blobs, key, body), keys, data))
    assert [get(blobs, key) for key in keys] == data


def test_credentials_come_from_the_usual_chain(
    bucket: ObjectsConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where none are set, the environment is asked first."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", bucket.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", bucket.secret_key)
    open_objects(replace(bucket, access_key="", secret_key="")).check()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"secret_key": "not the secret"}, "refused access", id="secret"),
        pytest.param({"access_key": "nobody"}, "refused access", id="key"),
        pytest.param({"bucket": "pixtools-no-such"}, "no such bucket", id="bucket"),
        pytest.param({"endpoint": "http://127.0.0.1:9"}, "did not answer", id="away"),
    ],
)
def test_what_is_wrong_is_said(
    bucket: ObjectsConfig, changes: dict[str, str], words: str
) -> None:
    """A health check, a write and a read tell the operator what to look at."""
    blobs = open_objects(replace(bucket, retries=0, **changes))  # type: ignore[arg-type]  # texts
    for call in (
        blobs.check,
        lambda: put(blobs, KEY, b"x"),
        lambda: put(blobs, KEY, bytes(9 * MIB)),
        lambda: list(blobs.read(KEY)),
        lambda: blobs.delete("raw/"),
    ):
        with pytest.raises(StorageUnavailable, match=words) as told:
            call()
        assert bucket.bucket not in str(told.value)
        assert "127.0.0.1" not in str(told.value)


MEASURE = """
import os, sys
from pathlib import Path
from pixtools.storage.config import ObjectsConfig
from pixtools.storage.objects import open_objects

def status(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) // 1024

def peak_of(work):
    Path("/proc/self/clear_refs").write_text("5")
    work()
    return status("VmHWM") - base

def up():
    writer, chunk = blobs.writer(KEY), os.urandom(1 << 20)
    for _ in range(200):
        writer.write(chunk)
    assert writer.commit().bytes == 200 << 20

def down():
    assert sum(map(len, blobs.read(KEY))) == 200 << 20

def fetched():
    blobs.fetch(KEY, Path(sys.argv[6])).unlink()

KEY = "archives/batches/long.zip"
names = ("bucket", "region", "endpoint", "access_key", "secret_key")
blobs = open_objects(ObjectsConfig(**dict(zip(names, sys.argv[1:6]))))
blobs.check()
base = status("VmRSS")
print(peak_of(up), peak_of(down), peak_of(fetched))
blobs.delete(KEY)
"""


def test_memory_does_not_grow_with_the_object(
    s3: Bucket, unmeasured: dict[str, str], tmp_path: Path
) -> None:
    """200 MiB go up, are read and are fetched with two parts in memory, and some air."""
    words = (s3.name, s3.region, s3.endpoint, s3.access_key, s3.secret_key)
    answer = subprocess.run(
        [sys.executable, "-c", MEASURE, *words, str(tmp_path)],
        env=unmeasured,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    peaks = [int(word) for word in answer.stdout.split()]
    assert len(peaks) == 3
    assert max(peaks) < 23, peaks
