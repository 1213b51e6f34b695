"""A store that answers at once, but oddly: an error that says so, and an end."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.contract.storage.stumbling import KEPT, KEY, LONG

from pixtools.domain.errors import SourceMissing, StorageUnavailable
from pixtools.storage.config import ObjectsConfig
from pixtools.storage.object_faults import is_refusal
from pixtools.storage.objects import PIECE, ObjectBlobs, open_objects
from pixtools.testing.faulty_proxy import Answer, FaultyProxy, always, well
from pixtools.testing.port_suites.blobs import get, put

NO_UPLOAD = Answer(404, b"<Error><Code>NoSuchUpload</Code></Error>")
"""Said of parts that were dropped; by some also where the upload is complete."""


def of_long(body: bytes) -> Answer:
    """The first piece of a long object, as it is announced, with other bytes."""
    told = (
        ("Content-Range", f"bytes 0-{PIECE - 1}/{len(LONG)}"),
        ("ETag", '"a"'),
        ("Last-Modified", "Mon, 23 Nov 2026 10:00:00 GMT"),
    )
    return Answer(206, body, told)


@pytest.mark.parametrize("word", ["POST", "partNumber=2"])
def test_parts_that_the_store_has_lost_are_no_missing_source(
    blobs: ObjectBlobs, straight: ObjectBlobs, proxy: FaultyProxy, word: str
) -> None:
    """Else a job would fail for good, for a source that is there."""
    proxy.plan = always(NO_UPLOAD, word, "uploadId=")
    with pytest.raises(StorageUnavailable, match="404"):
        put(blobs, KEY, LONG)
    assert straight.stat(KEY) is None


@pytest.mark.parametrize("body", [b"", bytes(10), bytes(PIECE + 1)], ids=len)
def test_bytes_that_are_not_those_announced_end_a_read(
    lasting: ObjectBlobs, straight: ObjectBlobs, proxy: FaultyProxy, body: bytes
) -> None:
    """A read that went on with none would ask again and again, for ever."""
    proxy.plan = always(of_long(body), "GET")
    with pytest.raises(StorageUnavailable, match="another number of bytes"):
        get(lasting, KEPT)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(301, b"<Error><Code>PermanentRedirect</Code></Error>"), "AWS_REGION"),
        (
            Answer(400, b"<Error><Code>AuthorizationHeaderMalformed</Code></Error>"),
            "AWS_REGION",
        ),
        (Answer(400, b"<Error><Code>ExpiredToken</Code></Error>"), "credentials"),
    ],
)
def test_a_refusal_says_what_to_look_at(
    blobs: ObjectBlobs, proxy: FaultyProxy, answer: Answer, words: str
) -> None:
    """Of a wrong region it is not said that nobody answers; the start is stopped."""
    proxy.plan = always(answer)
    with pytest.raises(StorageUnavailable, match=words) as fault:
        blobs.check()
    assert is_refusal(fault.value)


@pytest.mark.parametrize("page", [b"404 page not found\n", b"<html>Not Found</html>"])
def test_a_proxy_that_has_lost_sight_of_the_store_hides_no_object(
    blobs: ObjectBlobs, proxy: FaultyProxy, page: bytes, tmp_path: Path
) -> None:
    """While the store restarts: a job whose source seemed missing would have failed."""
    proxy.plan = always(Answer(404, page))
    for call in (lambda: get(blobs, KEPT), lambda: blobs.fetch(KEPT, tmp_path)):
        with pytest.raises(StorageUnavailable, match="404"):
            call()
    missing = b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>"
    proxy.plan = always(Answer(404, missing))
    with pytest.raises(SourceMissing):
        get(blobs, KEPT)


PAGE = b"<!doctype html><html><head></head><body>Sign in</body></html>"


def test_a_page_is_not_taken_for_a_store(
    through: ObjectsConfig, proxy: FaultyProxy
) -> None:
    """A console's port in place of the store's: it answers, and there is no list."""
    proxy.plan = always(Answer(200, PAGE))
    blobs = open_objects(through)
    for call in (blobs.check, lambda: put(blobs, KEY, b"short")):
        with pytest.raises(StorageUnavailable, match="made no sense"):
            call()
    proxy.plan = well
    blobs.check()


def test_who_leads_elsewhere_is_told_from_who_fails(
    blobs: ObjectBlobs, proxy: FaultyProxy
) -> None:
    """A proxy that wants https follows through for reading only."""
    proxy.plan = always(Answer(301, b"", (("Location", "https://127.0.0.1:9/"),)))
    with pytest.raises(StorageUnavailable, match="AWS_ENDPOINT_URL"):
        put(blobs, KEY, b"short")
