"""A store that stumbles, hangs or cuts: an error in time, and nothing half-written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.contract.storage.stumbling import (
    BOUND,
    KEPT,
    KEY,
    LONG,
    until_given_up,
)

from pixtools.domain.errors import StorageUnavailable
from pixtools.storage.objects import PIECE, ObjectBlobs
from pixtools.testing.faulty_proxy import (
    Answer,
    CutAnswer,
    CutRequest,
    Fault,
    FaultyProxy,
    Hang,
    Request,
    always,
    once,
)
from pixtools.testing.port_suites.blobs import get, put
from pixtools.testing.spaces import Bucket, s3_client

FAULTS = [
    pytest.param(Answer(500), id="500"),
    pytest.param(Answer(503, b"<Error><Code>SlowDown</Code></Error>"), id="503"),
    pytest.param(Hang(), id="hangs"),
    pytest.param(CutRequest(100), id="cuts the request"),
    pytest.param(CutAnswer(0), id="cuts before the answer"),
    pytest.param(CutAnswer(40), id="cuts in the answer"),
]


@pytest.fixture
def unfinished(s3: Bucket) -> Iterator[Callable[[], list[Any]]]:
    """Uploads in parts that this test has neither completed nor aborted."""
    client = s3_client(s3)

    def found() -> list[Any]:
        uploads: list[Any] = client.list_multipart_uploads(Bucket=s3.name).get(
            "Uploads", []
        )
        return uploads

    # Of an upload whose beginning was lost on its way, nobody knows the id.
    for upload in found():
        client.abort_multipart_upload(
            Bucket=s3.name, Key=upload["Key"], UploadId=upload["UploadId"]
        )
    yield found
    client.close()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_store_that_never_works_is_given_up_in_time(
    blobs: ObjectBlobs,
    straight: ObjectBlobs,
    proxy: FaultyProxy,
    fault: Fault,
    tmp_path: Path,
) -> None:
    """Each verb says StorageUnavailable; what is there then is whole."""
    proxy.plan = always(fault)
    calls: list[Callable[[], object]] = [
        blobs.check,
        lambda: put(blobs, KEY, b"short"),
        lambda: put(blobs, KEY, LONG),
        lambda: blobs.stat(KEPT),
        lambda: list(blobs.read(KEPT)),
        lambda: blobs.fetch(KEPT, tmp_path),
        lambda: blobs.copy(KEPT, "processed/a/2.tiff"),
        lambda: blobs.delete("processed/none/"),
    ]
    with ThreadPoolExecutor(len(calls)) as pool:
        seconds = list(pool.map(until_given_up, calls))
    assert max(seconds) < BOUND
    assert list(tmp_path.iterdir()) == []
    for key, whole in ((KEY, b"short"), ("processed/a/2.tiff", LONG)):
        assert straight.stat(key) is None or get(straight, key) == whole


@pytest.mark.parametrize("fault", FAULTS)
def test_a_store_that_stumbles_once_is_not_noticed(
    lasting: ObjectBlobs,
    straight: ObjectBlobs,
    proxy: FaultyProxy,
    fault: Fault,
    tmp_path: Path,
) -> None:
    """What may be asked twice is asked twice."""
    calls: list[Callable[[], bool]] = [
        lambda: put(lasting, KEY, b"short").bytes == 5,
        lambda: lasting.stat(KEPT) is not None,
        lambda: get(lasting, KEPT) == LONG,
        lambda: lasting.fetch(KEPT, tmp_path).read_bytes() == LONG,
        lambda: lasting.copy(KEPT, "processed/a/2.tiff").bytes == len(LONG),
        lambda: lasting.delete("processed/a/") == 2,
    ]
    for call in calls:
        proxy.plan = once(fault)
        assert call()


@pytest.mark.parametrize(
    ("fault", "part"),
    [
        pytest.param(Answer(500), "partNumber=1", id="the first: 500"),
        pytest.param(CutRequest(100), "partNumber=2", id="the second is cut"),
        pytest.param(CutAnswer(0), "partNumber=2", id="the second's answer is cut"),
        pytest.param(Hang(), "partNumber=3", id="the last hangs"),
        pytest.param(Answer(503), "partNumber=3", id="the last: 503"),
    ],
)
def test_a_part_that_never_arrives_takes_the_others_with_it(
    blobs: ObjectBlobs,
    straight: ObjectBlobs,
    proxy: FaultyProxy,
    unfinished: Callable[[], list[Any]],
    fault: Fault,
    part: str,
) -> None:
    """Nothing is visible, nothing is left, and the older object stays."""
    put(straight, KEY, b"older")
    proxy.plan = always(fault, "PUT", part)
    assert until_given_up(lambda: put(blobs, KEY, LONG)) < BOUND
    assert get(straight, KEY) == b"older"
    assert unfinished() == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_part_that_arrives_late_is_in_its_place(
    lasting: ObjectBlobs, straight: ObjectBlobs, proxy: FaultyProxy, fault: Fault
) -> None:
    """Sent again, stored once."""
    proxy.plan = once(fault, "PUT", "partNumber=2")
    put(lasting, KEY, LONG)
    assert get(straight, KEY) == LONG


@pytest.mark.parametrize("fault", [Answer(500), CutRequest(100), Hang()], ids=repr)
def test_an_upload_that_can_not_be_completed_is_dropped(
    blobs: ObjectBlobs,
    straight: ObjectBlobs,
    proxy: FaultyProxy,
    unfinished: Callable[[], list[Any]],
    fault: Fault,
) -> None:
    """All parts were there, the last word was not."""
    proxy.plan = always(fault, "POST", "uploadId=")
    with pytest.raises(StorageUnavailable):
        put(blobs, KEY, LONG)
    assert straight.stat(KEY) is None
    assert unfinished() == []


def test_a_completion_whose_answer_is_lost_leaves_a_whole_object(
    lasting: ObjectBlobs,
    straight: ObjectBlobs,
    proxy: FaultyProxy,
    unfinished: Callable[[], list[Any]],
) -> None:
    """Whether the writer learns of it or not."""
    proxy.plan = once(CutAnswer(0), "POST", "uploadId=")
    with suppress(StorageUnavailable):
        put(lasting, KEY, LONG)
    assert get(straight, KEY) == LONG
    assert unfinished() == []


def test_a_long_read_goes_on_where_it_was_cut(
    lasting: ObjectBlobs, straight: ObjectBlobs, proxy: FaultyProxy
) -> None:
    """Each piece breaks once, somewhere in its middle."""
    left = {f"bytes={at}-" for at in range(0, len(LONG), PIECE)}

    def plan(request: Request) -> Fault | None:
        begins = request.headers.get("range", "").partition("-")[0] + "-"
        if begins not in left:
            return None
        left.discard(begins)
        return CutAnswer(100_000)

    proxy.plan = plan
    assert get(lasting, KEPT) == LONG
    assert not left


def test_an_outage_in_the_middle_of_a_read_is_an_error(
    blobs: ObjectBlobs, straight: ObjectBlobs, proxy: FaultyProxy
) -> None:
    """What came so far was right; the rest is not made up."""
    chunks = blobs.read(KEPT)
    begin = next(chunks)
    assert begin == LONG[: len(begin)]
    proxy.plan = always(Hang())
    with pytest.raises(StorageUnavailable):
        list(chunks)
